package config

import (
	"cmp"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// Signature is one DKIM signature (RFC 6376) that each mail gets.
type Signature struct {
	Domain   string        // d=, in DNS's form
	Selector string        // s=; the public key is at SELECTOR._domainkey.DOMAIN
	Key      crypto.Signer // RSA of 2048 bits or more, or Ed25519 (RFC 8463)
}

// selector is RFC 6376's, section 3.1: labels with dots between them.
var selector = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)

// dkim reads the signatures that mail from a domain gets. One whose key can't be
// read is left out, see Config.Unset.
func (r *reader) dkim(v strictyaml.Value, from string) []Signature {
	var signatures []Signature
	const example = "{selector: backsoon, key_file: secrets/dkim.pem}"
	for _, item := range v.List(example) {
		if !item.IsMap() {
			item.Errorf("a selector and a key belong here; write dkim: [%s]", example)
			continue
		}
		item.Only("domain", "selector", "key", "key_file")
		s := Signature{Domain: readSigner(item.Get("domain"), from), Selector: readSelector(item), Key: r.privateKey(item)}
		same := func(o Signature) bool { return o.Selector == s.Selector && o.Domain == s.Domain }
		if s.Selector != "" && slices.ContainsFunc(signatures, same) {
			item.Get("selector").Errorf("%s has a key already; write another selector for each key", s.Selector)
		}
		if s.Key != nil {
			signatures = append(signatures, s)
		}
	}
	return signatures
}

func readSelector(v strictyaml.Value) string {
	v.Need("selector", "backsoon")
	text, ok := v.Get("selector").Text("backsoon")
	if ok && !selector.MatchString(text) {
		v.Get("selector").Errorf("%q is not a name in DNS; write one of letters, digits and -, as in selector: backsoon", strictyaml.Clip(text))
	}
	return strings.ToLower(text)
}

// readSigner reads the domain that signs; left out, it is the sender's own. It
// has to be aligned with that, or DMARC counts the signature for nothing (RFC
// 7489, section 3.1.1).
func readSigner(v strictyaml.Value, from string) string {
	text, ok := v.Text("harbourbooks.example")
	if !ok {
		return from
	}
	domain, err := idna.Lookup.ToASCII(text)
	if err != nil || from != "" && !aligned(domain, from) {
		v.Errorf("%q is not the domain of from, so mailboxes don't count its signature; write domain: %s, or leave the line out",
			strictyaml.Clip(text), cmp.Or(from, "harbourbooks.example"))
	}
	return domain
}

// aligned tells whether two domains are of one organization.
func aligned(a, b string) bool {
	if a == b {
		return true
	}
	ours, err := publicsuffix.EffectiveTLDPlusOne(a)
	theirs, otherErr := publicsuffix.EffectiveTLDPlusOne(b)
	return err == nil && otherErr == nil && ours == theirs
}

// privateKey reads key or key_file; nil where it can't be read, or is no key that
// signs mail.
func (r *reader) privateKey(v strictyaml.Value) crypto.Signer {
	at := v.Get("key_file")
	if !at.Present() {
		at = v.Get("key")
	}
	if !at.Present() {
		v.Errorf("key_file is missing; write key_file: secrets/dkim.pem, for a key that this makes: %s", newKey)
		return nil
	}
	text := r.secret(v, "key", "DKIM")
	if text == "" {
		return nil
	}
	key, err := parsePrivateKey([]byte(text))
	if err != nil {
		at.Errorf("%v; this makes one: %s", err, newKey)
	}
	return key
}

// newKey makes a key that every mailbox can check.
const newKey = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out secrets/dkim.pem"

// parsePrivateKey reads PEM with PKCS #8 (RFC 5958) or PKCS #1 (RFC 8017) in it.
func parsePrivateKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	switch {
	case block == nil:
		return nil, errors.New("is not a private key in PEM, which begins with -----BEGIN PRIVATE KEY-----")
	case strings.Contains(block.Type, "PUBLIC"):
		return nil, errors.New("is the public key, and the private one belongs here")
	case strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "":
		return nil, errors.New("has a passphrase, and nobody is there to type it in")
	}
	var key any
	var err error
	if block.Type == "RSA PRIVATE KEY" {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	} else {
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, errors.New("is damaged, or not a private key in PKCS #8 or PKCS #1")
	}
	return usable(key)
}

// usable gives the key if mailboxes trust its kind: RFC 8301, section 3.2, and RFC
// 8463.
func usable(key any) (crypto.Signer, error) {
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return key, nil
	case *rsa.PrivateKey:
		if bits := key.N.BitLen(); bits < 2048 || bits > 4096 {
			return nil, errors.New("is an RSA key of another length than 2048 to 4096 bits")
		}
		return key, nil
	}
	return nil, errors.New("is neither an RSA nor an Ed25519 key")
}
