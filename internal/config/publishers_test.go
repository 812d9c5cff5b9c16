package config

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// pub is the line of a new key's .pub file.
func pub(t *testing.T) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return line(t, public)
}

func line(t *testing.T, public any) string {
	t.Helper()
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// skPub is the line of a new security key's .pub file (PROTOCOL.u2f).
func skPub(t *testing.T) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	blob := ssh.Marshal(struct{ Kind, Key, Application string }{ssh.KeyAlgoSKED25519, string(public), "ssh:"})
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func publisher(fields string) string {
	return small + "publishers:\n  - {name: Ada, email: ada@a.example, " + fields + "}\n"
}

func TestPublishers(t *testing.T) {
	first, second := pub(t), skPub(t)
	c := mustParse(t, small+"  kiosk: {}\npublishers:\n"+
		"  - {name: Ada, email: ada@a.example, keys: ["+first+" ada@laptop], may: [write, reopen, close]}\n"+
		"  - {name: Bob, email: bob@a.example, keys: ["+second+"], may: [reopen], storefronts: [web], touch: verified, expires: 2027-06-30}\n")
	if len(c.Publishers) != 2 {
		t.Fatalf("%+v", c.Publishers)
	}
	ada, bob := c.Publishers[0], c.Publishers[1]
	if line := string(ssh.MarshalAuthorizedKey(ada.Keys[0])); strings.TrimSpace(line) != first {
		t.Errorf("key: %s", line)
	}
	ada.Keys, bob.Keys = nil, nil
	if want := (Publisher{Name: "Ada", Email: "ada@a.example", May: []Right{Write, Reopen, Close}, Storefronts: []string{"web", "kiosk"}}); !reflect.DeepEqual(ada, want) {
		t.Errorf("got  %+v\nwant %+v", ada, want)
	}
	if want := (Publisher{Name: "Bob", Email: "bob@a.example", May: []Right{Reopen}, Storefronts: []string{"web"}, Touch: TouchVerified,
		Expires: time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC)}); !reflect.DeepEqual(bob, want) {
		t.Errorf("got  %+v\nwant %+v", bob, want)
	}
}

func TestHolds(t *testing.T) {
	p := Publisher{May: []Right{Close}, Storefronts: []string{"web"}}
	for _, test := range []struct {
		right      Right
		storefront string
		want       bool
	}{{Close, "web", true}, {Write, "web", true}, {Reopen, "web", false}, {Close, "kiosk", false}, {Write, "kiosk", false}, {"", "web", false}} {
		if got := p.Holds(test.right, test.storefront); got != test.want {
			t.Errorf("%s %s: %v", test.right, test.storefront, got)
		}
	}
	if (Publisher{Storefronts: []string{"web"}}).Holds(Write, "web") {
		t.Error("who has no right may write")
	}
}

func TestNeeds(t *testing.T) {
	two := publisher("keys: ["+pub(t)+"], may: [reopen]") + "  - {name: Bob, email: bob@a.example, keys: [" + pub(t) + "], may: [reopen]}\n"
	if c := mustParse(t, two+"needs: {reopen: 2}\n"); c.Needs[Reopen] != 2 || c.Needs[Close] != 0 {
		t.Errorf("%v", c.Needs)
	}
}

func TestPublishersMistakes(t *testing.T) {
	key := pub(t)
	public := "keys: [" + key + "], may: [write]"
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, src, want string }{
		{"no list", small + "publishers: ada\n", `8:13: publishers: a list belongs here; write publishers: [{name: Ada Lovelace`},
		{"no map", small + "publishers: [ada]\n", `8:14: publishers: a name, an email, keys and rights belong here; write - {name: Ada`},
		{"unknown key", publisher(public + ", role: boss"), `"role" is not a key here`},
		{"no keys", publisher("may: [write]"), `9:5: publishers.keys is missing; write keys: [ssh-ed25519 AAAA…]`},
		{"no rights", publisher("keys: [" + key + "]"), `9:5: publishers.may is missing; write may: [write, close,`},
		{"empty keys", publisher("keys: [], may: [write]"), `publishers.keys: the list is empty; write keys:`},
		{"empty rights", publisher("keys: [" + key + "], may: []"), `publishers.may: the list is empty`},
		{"unknown right", publisher("keys: [" + key + "], may: [write, reopn]"), `publishers.may: "reopn" is not a right; did you mean reopen?`},
		{"right twice", publisher("keys: [" + key + "], may: [write, write]"), `publishers.may: "write" is written twice`},
		{"no storefronts", publisher(public + ", storefronts: []"), `publishers.storefronts: the list is empty; name at least one`},
		{"unknown storefront", publisher(public + ", storefronts: [wep]"), `publishers.storefronts: there is no storefront "wep" above; did you mean web?`},
		{"storefront twice", publisher(public + ", storefronts: [web, web]"), `publishers.storefronts: "web" is written twice`},
		{"no key", publisher("keys: [Ada], may: [write]"), `9:46: publishers.keys: is not one public SSH key; write the text of the .pub file`},
		{"options", publisher("keys: ['restrict " + key + "'], may: [write]"), `publishers.keys: has something before the kind of key`},
		{"two in one", publisher("keys: [\"" + key + "\\n" + pub(t) + "\"], may: [write]"), `publishers.keys: is not one public SSH key`},
		{"private", publisher("keys: ['-----BEGIN OPENSSH PRIVATE KEY-----'], may: [write]"), `publishers.keys: is the private half of a key`},
		{"weak", publisher("keys: [" + line(t, &weak.PublicKey) + "], may: [write]"), `publishers.keys: is an RSA key of less than 2048 bits`},
		{"twice in one", publisher("keys: [" + key + ", " + key + "], may: [write]"), `publishers.keys: is a key of Ada already`},
		{"twice in two", publisher(public) + "  - {name: Bob, email: bob@a.example, " + public + "}\n", `10:46: publishers.keys: is a key of Ada already`},
		{"one person twice", publisher(public) + "  - {name: Bob, email: ADA@a.example, keys: [" + pub(t) + "], may: [write]}\n", `10:5: publishers: Bob is there already; write all keys`},
		{"touch", publisher(public + ", touch: yes"), `publishers.touch: "yes" is neither required nor verified`},
		{"touch without a security key", publisher(public + ", touch: required"), `publishers.keys: cannot show a touch: it is no security key`},
		{"expires", publisher(public + ", expires: soon"), `publishers.expires: "soon" is not a day; write expires: 2027-06-30`},
		{"email", publisher(public)[:len(small)] + "publishers: [{name: Ada, email: ada, " + public + "}]\n", `publishers.email: "ada" is not an e-mail address`},
		{"needs without publishers", small + "needs: {reopen: 2}\n", `8:8: needs: nobody can sign without publishers`},
		{"needs another right", publisher(public) + "needs: {reopn: 2}\n", `needs.reopn: "reopn" is not a right; did you mean reopen?`},
		{"needs three", publisher(public) + "needs: {reopen: 3}\n", `10:17: needs.reopen: "3" is not a number of people; write reopen: 2`},
		{"needs more than there are", publisher("keys: ["+key+"], may: [reopen]") + "needs: {reopen: 2}\n", `10:8: needs: reopen: 2 people have to sign, but fewer may do it on web`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, problems := parse(t, test.src)
			if c != nil || !strings.Contains(problems.Error(), test.want) || strings.Contains(problems.Error(), "-----") {
				t.Errorf("got  %v\nwant %s", problems, test.want)
			}
		})
	}
}

// TestCertificates: a certificate's authority is nobody whom the settings name.
func TestCertificates(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{Key: signer.PublicKey(), CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, signer); err != nil {
		t.Fatal(err)
	}
	if _, err := parseKey(string(ssh.MarshalAuthorizedKey(cert))); err == nil || !strings.Contains(err.Error(), "cannot sign notices") {
		t.Error(err)
	}
}
