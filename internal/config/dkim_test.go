package config

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// mailFrom is a site that sends mail, with what it says of DKIM.
func mailFrom(dkim string) []byte {
	return []byte(small + "email:\n  from: a@news.shop.example\n  server: smtp://localhost\n  dkim:\n" + dkim)
}

// keyFolder has keys in every form that people have, and in some that nobody
// should.
func keyFolder(t *testing.T) (dir string, rsaKey *rsa.PrivateKey, edKey ed25519.PrivateKey) {
	t.Helper()
	dir = t.TempDir()
	write := func(name, kind string, der []byte, err error) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	pkcs8 := func(name string, key any) {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		write(name, "PRIVATE KEY", der, err)
	}
	rsaKey, _ = rsa.GenerateKey(rand.Reader, 2048)
	short, _ := rsa.GenerateKey(rand.Reader, 1024)
	curve, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edKey, _ = ed25519.GenerateKey(rand.Reader)
	pkcs8("rsa.pem", rsaKey)
	pkcs8("ed.pem", edKey)
	pkcs8("short.pem", short)
	pkcs8("curve.pem", curve)
	write("old.pem", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil)
	public, err := x509.MarshalPKIXPublicKey(rsaKey.Public())
	write("public.pem", "PUBLIC KEY", public, err)
	write("locked.pem", "ENCRYPTED PRIVATE KEY", []byte("x"), nil)
	write("damaged.pem", "PRIVATE KEY", []byte("x"), nil)
	if err := os.WriteFile(filepath.Join(dir, "text.pem"), []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, rsaKey, edKey
}

func TestDKIM(t *testing.T) {
	dir, rsaKey, edKey := keyFolder(t)
	inline, err := os.ReadFile(filepath.Join(dir, "ed.pem"))
	if err != nil {
		t.Fatal(err)
	}
	src := mailFrom("    - {selector: a, key_file: rsa.pem}\n    - {selector: B.2026, key_file: ed.pem, domain: Shop.example}\n" +
		"    - {selector: c, key_file: old.pem, domain: other.shop.example}\n    - {selector: d, key: \"${DKIM_KEY}\"}\n")
	c, problems := Parse(dir, src, environment("DKIM_KEY", string(inline)))
	if c == nil {
		t.Fatal(problems)
	}
	want := []struct {
		domain, selector string
		key              crypto.Signer
	}{
		{"news.shop.example", "a", rsaKey}, {"shop.example", "b.2026", edKey}, {"other.shop.example", "c", rsaKey}, {"news.shop.example", "d", edKey},
	}
	if len(c.Email.DKIM) != len(want) {
		t.Fatalf("%d signatures", len(c.Email.DKIM))
	}
	for i, w := range want {
		if s := c.Email.DKIM[i]; s.Domain != w.domain || s.Selector != w.selector || !reflect.DeepEqual(s.Key.Public(), w.key.Public()) {
			t.Errorf("signature %d: %s at %s", i, s.Selector, s.Domain)
		}
	}
}

func TestDKIMProblems(t *testing.T) {
	dir, _, _ := keyFolder(t)
	for _, test := range []struct{ line, want string }{
		{"x", `12:7: email.dkim: a selector and a key belong here; write dkim: [{selector: backsoon, key_file: secrets/dkim.pem}]`},
		{"{key_file: rsa.pem}", `12:7: email.dkim.selector is missing; write selector: backsoon`},
		{"{selector: a}", `12:7: email.dkim: key_file is missing; write key_file: secrets/dkim.pem, for a key that this makes: openssl genpkey`},
		{"{selector: a_b, key_file: rsa.pem}", `12:18: email.dkim.selector: "a_b" is not a name in DNS; write`},
		{"{selector: a, key_file: rsa.pem, domain: example}", `email.dkim.domain: "example" is not the domain of from, so mailboxes don't count its signature; write domain: news.shop.example`},
		{"{selector: a, key_file: rsa.pem, domain: other.example}", `12:48: email.dkim.domain: "other.example" is not the domain of from`},
		{"{selector: a, key_file: public.pem}", `12:31: email.dkim.key_file: is the public key, and the private one belongs here; this makes one: openssl genpkey`},
		{"{selector: a, key_file: locked.pem}", `email.dkim.key_file: has a passphrase`},
		{"{selector: a, key_file: damaged.pem}", `email.dkim.key_file: is damaged, or not`},
		{"{selector: a, key_file: text.pem}", `email.dkim.key_file: is not a private key in PEM`},
		{"{selector: a, key_file: short.pem}", `email.dkim.key_file: is an RSA key of another length than 2048`},
		{"{selector: a, key_file: curve.pem}", `email.dkim.key_file: is neither an RSA nor an Ed25519 key`},
		{"{selector: a, key: hunter2}", `email.dkim.key: is not a private key in PEM`},
		{"{selector: a, key_file: rsa.pem}\n    - {selector: A, key_file: ed.pem}", `13:18: email.dkim.selector: a has a key already`},
	} {
		src := mailFrom("    - " + test.line + "\n")
		c, problems := Parse(dir, src, environment())
		inside(t, src, problems)
		if c != nil || !strings.Contains(problems.Error(), test.want) || strings.Contains(problems.Error(), "hunter2") {
			t.Errorf("%s\ngot  %v\nwant %s", test.line, problems, test.want)
		}
	}
}

// TestDKIMKeyIsASecret: a site is built also where its keys are not; what sends
// says which is missing.
func TestDKIMKeyIsASecret(t *testing.T) {
	dir, _, _ := keyFolder(t)
	c, problems := Parse(dir, mailFrom("    - {selector: a, key_file: gone.pem}\n"), environment())
	if c == nil || len(c.Email.DKIM) > 0 {
		t.Fatal(problems)
	}
	if want := []string{"the file gone.pem cannot be read; DKIM needs it"}; !reflect.DeepEqual(c.Unset, want) {
		t.Errorf("got %q", c.Unset)
	}
}
