package authority

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/backsoon/backsoon/internal/config"
)

// person is a publisher who signs here and now.
type person struct {
	config.Publisher
	signer ssh.Signer
}

func newPerson(t testing.TB, name, storefronts string, rights ...config.Right) person {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	p := publisher(name, "", signer.PublicKey())
	p.May, p.Storefronts = rights, strings.Fields(storefronts)
	return person{p, signer}
}

// change is what becomes of a notice, signed by the people.
func change(t *testing.T, old, next string, people ...person) Publication {
	t.Helper()
	p := Publication{Path: "content/closures/winter.md", Source: []byte(next), InForce: version(t, old), Next: version(t, next)}
	for _, who := range people {
		p.Signatures = append(p.Signatures, armored(t, who.signer, p.Source))
	}
	return p
}

// TestRights: each right does what it says, implies writing, and nothing else.
func TestRights(t *testing.T) {
	changes := map[config.Right][2]string{
		config.Write: {planned, planned + "\ntitle: x"}, config.Close: {"", planned}, config.Extend: {planned, "reopens: 2027-02-01"},
		config.Cancel: {planned, planned + "\ncancelled: true"}, config.Reopen: {planned, "reopens: 2026-12-28"},
	}
	for _, may := range config.Rights {
		who := newPerson(t, "Ada", "web pos", may)
		for does, c := range changes {
			want := NotPermitted
			if does == may || does == config.Write {
				want = ""
			}
			t.Run(string(may)+" "+string(does), func(t *testing.T) {
				refused(t, settings(who.Publisher), change(t, c[0], c[1], who), want)
			})
		}
	}
}

// TestOthersStorefronts: a right is over one's own storefronts alone, and a change
// of several needs somebody for each.
func TestOthersStorefronts(t *testing.T) {
	ada, bob := newPerson(t, "Ada", "web", config.Rights...), newPerson(t, "Bob", "pos", config.Rights...)
	cfg := settings(ada.Publisher, bob.Publisher)
	onlyWeb, onlyPos := planned+"\nstorefronts: [web]", planned+"\nstorefronts: [pos]"
	refused(t, cfg, change(t, "", onlyWeb, ada), "")
	r := refused(t, cfg, change(t, "", onlyPos, ada), NotPermitted)
	if want := "is signed by Ada, who may not close pos; have it signed by somebody who may: Bob"; r.Text != want {
		t.Errorf("%s\nwant %s", r.Text, want)
	}
	refused(t, cfg, change(t, "", planned, ada), NotPermitted)
	refused(t, cfg, change(t, onlyWeb, onlyPos, ada), NotPermitted)
	refused(t, cfg, change(t, onlyWeb, onlyPos, bob), NotPermitted)
	refused(t, cfg, change(t, planned, planned+"\ntitle: x", ada), NotPermitted)
	refused(t, cfg, change(t, onlyWeb, onlyPos, ada, bob), "")
}

// TestTwoPeople: two keys of one person are no two people, and the second has to
// have the right as well.
func TestTwoPeople(t *testing.T) {
	ada, bob, eve := newPerson(t, "Ada", "web pos", config.Rights...), newPerson(t, "Bob", "web pos", config.Reopen), newPerson(t, "Eve", "web pos", config.Close)
	spare := newPerson(t, "Ada", "web pos")
	ada.Keys = append(ada.Keys, spare.Keys...)
	cfg := settings(ada.Publisher, bob.Publisher, eve.Publisher)
	cfg.Needs = map[config.Right]int{config.Reopen: 2}
	earlier := func(people ...person) Publication { return change(t, planned, "reopens: 2026-12-28", people...) }
	refused(t, cfg, change(t, planned, planned+"\ntitle: x", ada), "")
	refused(t, cfg, earlier(ada, bob), "")
	refused(t, cfg, earlier(bob, ada), "")
	refused(t, cfg, earlier(ada, spare), TooFew)
	refused(t, cfg, earlier(ada, ada), TooFew)
	refused(t, cfg, earlier(ada, eve), TooFew)
	refused(t, cfg, earlier(eve), NotPermitted)
	r := refused(t, cfg, earlier(ada), TooFew)
	if want := "is signed by Ada alone, and to open web earlier takes 2 people; have one of them sign, too: Bob"; r.Text != want {
		t.Errorf("%s\nwant %s", r.Text, want)
	}
	p := earlier(ada, bob)
	p.Signatures[1] = armored(t, bob.signer, []byte("something else"))
	if r := refused(t, cfg, p, TooFew); !strings.Contains(r.Text, ". Another signature does not count: winter.md.sig.2 doesn't fit") {
		t.Error(r.Text)
	}
}

// TestEndedIsNotNamed: nobody is sent to somebody whose keys have ended.
func TestEndedIsNotNamed(t *testing.T) {
	ada, bob, eve := newPerson(t, "Ada", "web pos", config.Rights...), newPerson(t, "Bob", "web pos", config.Rights...), newPerson(t, "Eve", "web pos", config.Write)
	bob.Expires = now
	cfg := settings(ada.Publisher, bob.Publisher, eve.Publisher)
	cfg.Needs = map[config.Right]int{config.Reopen: 2}
	for _, tt := range []struct {
		p    Publication
		kind Kind
		want string
	}{
		{change(t, "", planned, eve), NotPermitted, "have it signed by somebody who may: Ada"},
		{change(t, planned, "reopens: 2026-12-28", ada), TooFew, "takes 2 people; nobody else may: give the right to somebody in backsoon.yaml, or renew expires"},
	} {
		if r := refused(t, cfg, tt.p, tt.kind); !strings.HasSuffix(r.Text, tt.want) {
			t.Errorf("%s\nwant %s", r.Text, tt.want)
		}
	}
}

// TestFirstSigner: the one whose right it was is who did it.
func TestFirstSigner(t *testing.T) {
	ada, bob := newPerson(t, "Ada", "web pos", config.Write), newPerson(t, "Bob", "web pos", config.Close)
	by, err := Judge(settings(ada.Publisher, bob.Publisher), change(t, "", planned, ada, bob), now)
	if err != nil || len(by) != 2 || by[0].Name != "Bob" || by[1].Name != "Ada" {
		t.Errorf("%+v %v", by, err)
	}
}

// TestNobody: with no right to anything, nothing is allowed.
func TestNobody(t *testing.T) {
	ada := newPerson(t, "Ada", "web pos")
	r := refused(t, settings(ada.Publisher), change(t, planned, planned+"\ntitle: x", ada), NotPermitted)
	if want := "is signed by Ada, who may not write about web; nobody may: give the right to somebody in backsoon.yaml"; r.Text != want {
		t.Errorf("%s\nwant %s", r.Text, want)
	}
}
