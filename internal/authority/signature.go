package authority

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
)

// Namespace keeps a signature that was made for something else, such as a git
// commit, from counting here (PROTOCOL.sshsig, section 2).
const Namespace = "backsoon"

const viaSignature = "ssh-signature"

// Kind is what is wrong with a publication that is refused.
type Kind string

// The kinds of refusal.
const (
	Unsigned     Kind = "unsigned"
	NoSignature  Kind = "no signature" // the file holds something else
	Tampered     Kind = "tampered"     // it is a signature, of other bytes
	OtherPurpose Kind = "wrong namespace"
	UnknownKey   Kind = "unknown key"
	OtherFormat  Kind = "not by an SSH key"
	Hosted       Kind = "a hosting service's"
	Astray       Kind = "not in the history that counts"
	Expired      Kind = "expired key"
	Untouched    Kind = "no touch"
	NotPermitted Kind = "not permitted"
	TooFew       Kind = "too few people"
)

// Refusal says why a publication doesn't count, in words for a shopkeeper that
// continue the name of the notice's file.
type Refusal struct {
	Kind Kind
	By   ledger.By // of the key, as far as it is known; zero: there is none
	Text string
}

func (r *Refusal) Error() string { return r.Text }

// whose is the key's owner, where there is a key.
func (r *Refusal) whose() []ledger.By {
	if r.By == (ledger.By{}) {
		return nil
	}
	return []ledger.By{r.By}
}

// The flags that a security key signs with (PROTOCOL.u2f, "SSH U2F Signatures").
const (
	userPresent  = 1 << 0
	userVerified = 1 << 2
)

// claim is a signature as it was found, and what it has to be of.
type claim struct {
	name      string // of what holds it: winter.md.sig
	armored   []byte
	src       []byte // what it is of, in words:
	what      string
	anew      string // how to make another
	namespace string
	right     string // how to make one that is for this
	how       string // we know then who it was
}

// detached is the claim of a file beside a notice.
func detached(name string, src, armored []byte) claim {
	return claim{name: name, armored: armored, src: src, what: "the notice or its signature", anew: "sign the notice as it is now",
		namespace: Namespace, right: "sign with ssh-keygen -Y sign -n " + Namespace, how: viaSignature}
}

// verify tells whose signature the claim is, as of now, or why it doesn't count.
func verify(publishers []config.Publisher, c claim, now time.Time) (p config.Publisher, by ledger.By, r *Refusal) {
	sig, err := parse(c.armored)
	if err != nil {
		return p, by, &Refusal{NoSignature, by, fmt.Sprintf("is not signed: %s holds no SSH signature (%v); %s", c.name, err, c.anew)}
	}
	by = ledger.By{How: c.how, Key: ssh.FingerprintSHA256(sig.PublicKey)}
	refuse := func(kind Kind, format string, args ...any) (config.Publisher, ledger.By, *Refusal) {
		return p, by, &Refusal{kind, by, c.name + " " + fmt.Sprintf(format, args...)}
	}
	p, key := keyOf(publishers, sig.PublicKey)
	if key == nil {
		return refuse(UnknownKey, "is by a key that is no publisher's (%s); one of the publishers has to sign, or backsoon.yaml has to name the key", by.Key)
	}
	by.Name, by.Email = p.Name, p.Email
	if sig.Namespace != c.namespace {
		return refuse(OtherPurpose, "was made for %q, not for %s; %s", clip(sig.Namespace), c.namespace, c.right)
	}
	if kind, why := lacksTouch(p, key, sig.Signature); kind != "" {
		return refuse(kind, "%s", why)
	}
	if err := sshsig.Verify(bytes.NewReader(c.src), sig, key, sig.HashAlgorithm, c.namespace); err != nil {
		return refuse(Tampered, "doesn't fit: %s was changed after %s signed (%s); %s", c.what, p.Name, by.Key, c.anew)
	}
	if p.Ended(now) {
		return refuse(Expired, "is by a key of %s that ended on %s (%s); sign with a key that still counts, or renew expires in backsoon.yaml",
			p.Name, p.Expires.Format(time.DateOnly), by.Key)
	}
	by.Verified = true
	return p, by, nil
}

// keyOf finds the publisher whose key it is; nil: nobody's.
func keyOf(publishers []config.Publisher, key ssh.PublicKey) (config.Publisher, ssh.PublicKey) {
	for _, p := range publishers {
		for _, k := range p.Keys {
			if bytes.Equal(k.Marshal(), key.Marshal()) {
				return p, k
			}
		}
	}
	return config.Publisher{}, nil
}

// lacksTouch looks at the flags behind a security key's signature, which covers
// them. A touch is always asked for, whatever the key itself was made with:
// ssh-keygen -Y verify would let it pass. Behind other keys' signatures nothing may
// stand, since nothing covers it.
func lacksTouch(p config.Publisher, key ssh.PublicKey, sig *ssh.Signature) (Kind, string) {
	const flagsAndCounter = 1 + 4 // bytes
	switch security := config.IsSecurityKey(key); {
	case !security && len(sig.Rest) > 0, security && len(sig.Rest) != flagsAndCounter:
		return Tampered, "doesn't fit: it has a wrong length; sign the notice again"
	case !security:
		return "", ""
	case sig.Rest[0]&userPresent == 0:
		return Untouched, "was made without a touch on the security key of " + p.Name + "; sign again, and touch the key when it blinks"
	case p.Touch == config.TouchVerified && sig.Rest[0]&userVerified == 0:
		return Untouched, "was made without the PIN or fingerprint of " + p.Name + "'s security key; make a key with ssh-keygen -O verify-required, and sign with it"
	}
	return "", ""
}

// longestArmor is the most bytes of a signature file; one by a key of RSA with
// 16384 bits has about six thousand.
const longestArmor = 16 << 10

// parse reads one armored signature and nothing else (PROTOCOL.sshsig, sections
// 1 and 3), in the one way to write it: no byte of the file can be another with the
// signature still the same.
func parse(armored []byte) (*sshsig.Signature, error) {
	blob, err := unarmor(armored)
	if err != nil {
		return nil, err
	}
	sig, err := sshsig.ParseSignature(blob)
	if err != nil {
		return nil, errors.New("it is damaged")
	}
	if !bytes.Equal(sig.Marshal(), blob) {
		return nil, errors.New("it holds more than a signature")
	}
	return sig, nil
}

// unarmor decodes the lines between the two dashed ones. They are all as long as the
// first, 70 characters by OpenSSH and 64 as PEM has it, but for the last. Lines end in
// \n, or all in \r\n.
func unarmor(armored []byte) ([]byte, error) {
	const begin, end = "-----BEGIN " + sshsig.PEMType + "-----", "-----END " + sshsig.PEMType + "-----"
	if len(armored) > longestArmor {
		return nil, errors.New("it is too long for one")
	}
	text := string(armored)
	if strings.Count(text, "\r\n") == strings.Count(text, "\n") {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	lines := strings.Split(text, "\n")
	n := len(lines)
	if n < 4 || lines[0] != begin || lines[n-2] != end || lines[n-1] != "" {
		return nil, fmt.Errorf("it doesn't begin with %s, or doesn't end with %s and a new line", begin, end)
	}
	body := lines[1 : n-2]
	for i, line := range body {
		last := i == len(body)-1
		if line == "" || strings.Contains(line, "\r") || len(line) > len(body[0]) || !last && len(line) != len(body[0]) {
			return nil, errors.New("its lines are not as they were written")
		}
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(strings.Join(body, ""))
	if err != nil {
		return nil, errors.New("it is damaged")
	}
	return blob, nil
}

// clip keeps what a stranger wrote short.
func clip(s string) string {
	const longest = 40
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}
