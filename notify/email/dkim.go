package email

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"fmt"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/config"
)

// signedHeaders are the ones that a signature covers. One that the message lacks
// can't be added to it later, nor a second of those that are named twice (RFC
// 6376, section 8.15): a mailbox might show, or obey, the other one. RFC 8058,
// section 4, asks for both headers by which a reader leaves.
var signedHeaders = []string{
	"From", "From", "To", "To", "Cc", "Reply-To", "Subject", "Subject", "Date", "Date", "Message-ID", "In-Reply-To", "References",
	"MIME-Version", "Content-Type", "Content-Type", "Content-Transfer-Encoding",
	"List-Id", "List-Unsubscribe", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Unsubscribe-Post",
	"Auto-Submitted", "Precedence", "X-Auto-Response-Suppress", "Feedback-ID", checkpoint.Header, checkpoint.Header,
}

// sign puts one DKIM-Signature (RFC 6376, relaxed/relaxed) for each key before the
// message, which is as it goes out but for SMTP's dots.
func sign(msg []byte, keys []config.Signature) ([]byte, error) {
	if len(keys) == 0 {
		return msg, nil
	}
	var signed bytes.Buffer
	for _, k := range keys {
		header, err := signature(msg, k)
		if err != nil {
			return nil, fmt.Errorf("sign for %s: %w", recordName(k), err)
		}
		signed.WriteString(header)
	}
	signed.Write(msg)
	return signed.Bytes(), nil
}

// signature is the whole header field.
func signature(msg []byte, key config.Signature) (string, error) {
	s, err := dkim.NewSigner(&dkim.SignOptions{
		Domain: key.Domain, Selector: key.Selector, Signer: key.Key, HeaderKeys: signedHeaders,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		return "", err
	}
	_, _ = s.Write(msg) // what goes wrong, Close says
	if err := s.Close(); err != nil {
		return "", err
	}
	return s.Signature(), nil
}

// Record is the TXT record in DNS by which mailboxes check a key's signatures: its
// name, and its text, which is longer than the 255 bytes of one string (RFC 6376,
// section 3.6.2.2).
func Record(key config.Signature) (name, text string, err error) {
	kind, public := "rsa", []byte(nil)
	switch k := key.Key.Public().(type) {
	case ed25519.PublicKey: // bare: RFC 8463, section 4
		kind, public = "ed25519", k
	default:
		public, err = x509.MarshalPKIXPublicKey(k)
	}
	return recordName(key), "v=DKIM1; k=" + kind + "; p=" + base64.StdEncoding.EncodeToString(public), err
}

func recordName(key config.Signature) string { return key.Selector + "._domainkey." + key.Domain }
