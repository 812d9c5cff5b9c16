package email

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

// MessageID names a letter to one recipient, without angle brackets: an HMAC of
// the parts that make it this letter (slug, kind, text, address), at the
// sender's domain. The same parts under the same key give the same id, so that
// a letter which is sent twice after a crash is one letter to the mailbox.
func MessageID(key []byte, domain string, parts ...string) string {
	// 160 bits keep the header on one line and are more than enough to be unique.
	return sealed(key, 20, parts...) + "@" + domain
}

// sealed is so many bytes of the parts' HMAC, in letters and digits that survive
// whatever mail systems do to them.
func sealed(key []byte, size int, parts ...string) string {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		// With its length before it, no part can pass for the end of another.
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		mac.Write([]byte(p))
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:size]))
}
