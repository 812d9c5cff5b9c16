package checkpoint

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Key signs the checkpoints of a shop's logs: an Ed25519 key (RFC 8032).
type Key struct{ private ed25519.PrivateKey }

// pemType is what PKCS #8 calls itself in PEM (RFC 7468, section 10).
const pemType = "PRIVATE KEY"

// NewKey makes a key.
func NewKey() Key {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // never, as the documentation of crypto/rand promises
	}
	return Key{private}
}

// ParseKey reads what PEM wrote.
func ParseKey(text []byte) (Key, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemType {
		return Key{}, errors.New("it holds no private key in PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Key{}, fmt.Errorf("its key can't be read: %w", err)
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return Key{}, errors.New("its key is not an Ed25519 key")
	}
	return Key{private}, nil
}

// PEM is the key as a file: PKCS #8 (RFC 8410) in PEM (RFC 7468).
func (k Key) PEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		panic(err) // an Ed25519 key always has this form
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})
}

// Verifier is the key's public half for the log of that origin, as C2SP
// signed-note writes a verifier key (https://c2sp.org/signed-note): origin, hash
// and key, with a plus between them.
func (k Key) Verifier(origin string) string {
	verifier, err := note.NewEd25519VerifierKey(origin, k.private.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err) // only a key of another length is refused
	}
	return verifier
}

// Sign gives the checkpoint of a log of that origin and size, with the hash of its
// root, as a signed note. It fails where the origin can't name a key: it is empty,
// or has a blank or a plus in it.
func (k Key) Sign(origin string, size int64, root tlog.Hash) (string, error) {
	s, err := k.signer(origin)
	if err != nil {
		return "", err
	}
	signed, err := note.Sign(&note.Note{Text: Checkpoint{origin, size, root}.body()}, s)
	return string(signed), err
}

// signer is the key under one name.
type signer struct {
	note.Verifier
	private ed25519.PrivateKey
}

func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.private, msg), nil }

func (k Key) signer(origin string) (note.Signer, error) {
	v, err := note.NewVerifier(k.Verifier(origin))
	if err != nil {
		return nil, fmt.Errorf("%q can't be a log's origin: %w", origin, err)
	}
	return signer{v, k.private}, nil
}
