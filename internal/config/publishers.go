package config

import (
	"crypto/rsa"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

// Publisher is a person whose signature makes a notice count.
type Publisher struct {
	Name, Email string
	Keys        []ssh.PublicKey
	May         []Right
	Storefronts []string  // the ids of those that they may speak for
	Touch       Touch     // what a security key has to show
	Expires     time.Time // the first moment at which the keys no longer count; zero: never
}

// Right is what a publisher may do to a storefront by a notice.
type Right string

// The rights. Each of the others implies Write.
const (
	Write  Right = "write"  // words, facts, updates: what leaves the checkout alone
	Close  Right = "close"  // close what would have been open
	Extend Right = "extend" // open again later than planned
	Cancel Right = "cancel" // call off what is ahead
	Reopen Right = "reopen" // open what would have been closed
)

// Rights lists every right.
var Rights = []Right{Write, Close, Extend, Cancel, Reopen}

// Touch is what a FIDO2 security key has to show beside the signature itself.
type Touch string

// What a security key may have to show.
const (
	NoTouch       Touch = ""         // nothing was asked for: other keys do, too
	TouchRequired Touch = "required" // somebody touched it
	TouchVerified Touch = "verified" // and gave its PIN or fingerprint
)

// Holds tells whether the publisher has the right over the storefront.
func (p Publisher) Holds(right Right, storefront string) bool {
	may := slices.Contains(p.May, right) || right == Write && len(p.May) > 0
	return may && slices.Contains(p.Storefronts, storefront)
}

// Ended tells whether the keys no longer count.
func (p Publisher) Ended(now time.Time) bool {
	return !p.Expires.IsZero() && !now.Before(p.Expires)
}

const examplePublisher = `{name: Ada Lovelace, email: ada@harbourbooks.example, keys: [ssh-ed25519 AAAA…], may: [write, close, extend, cancel, reopen]}`

// readPublishers reads who may publish, on which of the storefronts.
func readPublishers(v strictyaml.Value, storefronts []string, zone *time.Location) []Publisher {
	var all []Publisher
	owners := map[string]string{} // of keys, by fingerprint
	for _, item := range v.List(examplePublisher) {
		if !item.IsMap() {
			item.Errorf("a name, an email, keys and rights belong here; write - %s", examplePublisher)
			continue
		}
		p := readPublisher(item, storefronts, zone, owners)
		for _, other := range all { // two people of one name could not be told apart, nor one from two
			if p.Name != "" && strings.EqualFold(other.Name, p.Name) || p.Email != "" && strings.EqualFold(other.Email, p.Email) {
				item.Errorf("%s is there already; write all keys of one person into one list", p.Name)
			}
		}
		all = append(all, p)
	}
	return all
}

func readPublisher(v strictyaml.Value, storefronts []string, zone *time.Location, owners map[string]string) Publisher {
	v.Only("name", "email", "keys", "may", "storefronts", "touch", "expires")
	v.Need("name", "Ada Lovelace")
	v.Need("email", "ada@harbourbooks.example")
	v.Need("keys", "[ssh-ed25519 AAAA…], the text of ~/.ssh/id_ed25519.pub")
	v.Need("may", "[write, close, extend, cancel, reopen], or some of them")
	p := Publisher{
		Name:        readName(v.Get("name"), "Ada Lovelace"),
		May:         readRights(v.Get("may")),
		Storefronts: readOwn(v.Get("storefronts"), storefronts),
		Touch:       readTouch(v.Get("touch")),
		Expires:     readExpiry(v.Get("expires"), zone),
	}
	if a := readAddress(v.Get("email"), "ada@harbourbooks.example"); a != nil {
		p.Email = a.Address
	}
	p.Keys = readKeys(v.Get("keys"), p, owners)
	return p
}

func readKeys(v strictyaml.Value, p Publisher, owners map[string]string) []ssh.PublicKey {
	items := v.List("ssh-ed25519 AAAA…")
	if v.IsList() && len(items) == 0 {
		v.Errorf("the list is empty; write keys: [ssh-ed25519 AAAA…], the text of ~/.ssh/id_ed25519.pub")
	}
	var keys []ssh.PublicKey
	for _, item := range items {
		text, ok := item.Text("[ssh-ed25519 AAAA…]")
		if !ok {
			continue
		}
		key, err := parseKey(text)
		if err != nil {
			item.Errorf("%v", err)
			continue
		}
		if owner, known := owners[ssh.FingerprintSHA256(key)]; known {
			item.Errorf("is a key of %s already; a key is one person's: keep one of them", owner)
		}
		if p.Touch != NoTouch && !IsSecurityKey(key) {
			item.Errorf("cannot show a touch: it is no security key; write one that begins with sk-ssh-ed25519@openssh.com, or leave touch out")
		}
		owners[ssh.FingerprintSHA256(key)] = p.Name
		keys = append(keys, key)
	}
	return keys
}

// IsSecurityKey tells whether the key lives in a FIDO2 device.
func IsSecurityKey(key ssh.PublicKey) bool { return strings.HasPrefix(key.Type(), "sk-") }

// leastRSA is the fewest bits of an RSA key that still holds (NIST SP 800-57).
const leastRSA = 2048

// parseKey reads a line of a .pub file (sshd(8), AUTHORIZED_KEYS FILE FORMAT)
// without options: they would mean nothing here. Its errors never show the text,
// which may be a private key.
func parseKey(text string) (ssh.PublicKey, error) {
	const remedy = "write the text of the .pub file, such as ssh-ed25519 AAAA…"
	if strings.Contains(text, "PRIVATE KEY") {
		return nil, errors.New("is the private half of a key, which nobody else may have: make a new key, and " + remedy)
	}
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, errors.New("is not one public SSH key; " + remedy)
	}
	if len(options) > 0 {
		return nil, errors.New("has something before the kind of key; " + remedy)
	}
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return key, nil
	case ssh.KeyAlgoRSA:
		if pub, ok := key.(ssh.CryptoPublicKey).CryptoPublicKey().(*rsa.PublicKey); ok && pub.N.BitLen() >= leastRSA {
			return key, nil
		}
		return nil, errors.New("is an RSA key of less than " + strconv.Itoa(leastRSA) + " bits, which others can forge; make one with ssh-keygen -t ed25519")
	}
	return nil, errors.New("is of a kind that cannot sign notices; make a key with ssh-keygen -t ed25519")
}

func readRights(v strictyaml.Value) []Right {
	items := v.List("write")
	if v.IsList() && len(items) == 0 {
		v.Errorf("the list is empty; write may: [write], or who it is cannot do anything")
	}
	var rights []Right
	for _, item := range items {
		text, ok := item.Text("[write, close]")
		switch {
		case !ok:
		case !slices.Contains(Rights, Right(text)):
			item.Errorf("%q is not a right; %s", strictyaml.Clip(text), nearest(text, rightNames()))
		case slices.Contains(rights, Right(text)):
			item.Errorf("%q is written twice; keep one of them", text)
		default:
			rights = append(rights, Right(text))
		}
	}
	return rights
}

func rightNames() []string {
	names := make([]string, len(Rights))
	for i, r := range Rights {
		names[i] = string(r)
	}
	return names
}

// nearest says what to write in the place of an unknown word.
func nearest(word string, known []string) string {
	if near, ok := strictyaml.Nearest(word, known); ok {
		return "did you mean " + near + "?"
	}
	return "write one of " + strings.Join(known, ", ")
}

// readOwn reads which of the storefronts a publisher may speak for: all, where
// nothing is said.
func readOwn(v strictyaml.Value, all []string) []string {
	if !v.Present() {
		return all
	}
	items := v.List("web")
	if v.IsList() && len(items) == 0 {
		v.Errorf("the list is empty; name at least one storefront, or leave the line out: all of them")
	}
	var own []string
	for _, item := range items {
		text, ok := item.Text("[web]")
		switch {
		case !ok:
		case !slices.Contains(all, text):
			item.Errorf("there is no storefront %q above; %s", strictyaml.Clip(text), nearest(text, all))
		case slices.Contains(own, text):
			item.Errorf("%q is written twice; keep one of them", text)
		default:
			own = append(own, text)
		}
	}
	return own
}

func readTouch(v strictyaml.Value) Touch {
	text, ok := v.Text("required")
	if ok && Touch(text) != TouchRequired && Touch(text) != TouchVerified {
		v.Errorf("%q is neither required nor verified; write touch: required (a finger on the key), touch: verified (its PIN or fingerprint, too), or leave it out",
			strictyaml.Clip(text))
	}
	return Touch(text)
}

func readExpiry(v strictyaml.Value, zone *time.Location) time.Time {
	text, ok := v.Text("2027-06-30")
	if !ok {
		return time.Time{}
	}
	m, _, err := notice.ParseMoment(text, zone)
	if err != nil {
		v.Errorf("%q is not a day; write expires: 2027-06-30, the first day on which the keys no longer count", strictyaml.Clip(text))
	}
	return m.Time
}

// mostNeeded is the most people whom one change may need.
const mostNeeded = 2

// readNeeds reads how many different people have to sign, where it is more than
// one.
func readNeeds(v strictyaml.Value, publishers []Publisher) map[Right]int {
	if v.Present() && len(publishers) == 0 {
		v.Errorf("nobody can sign without publishers; write publishers: [%s]", examplePublisher)
	}
	needs := map[Right]int{}
	for _, e := range v.Entries("reopen: 2") {
		text, ok := e.Value.Text("2")
		if !slices.Contains(Rights, Right(e.Key)) {
			e.Value.Errorf("%q is not a right; %s", strictyaml.Clip(e.Key), nearest(e.Key, rightNames()))
		}
		n, err := strconv.Atoi(text)
		if ok && (err != nil || n < 1 || n > mostNeeded) {
			e.Value.Errorf("%q is not a number of people; write %s: 2, or leave it out: one person", strictyaml.Clip(text), e.Key)
		}
		needs[Right(e.Key)] = n
	}
	return needs
}

// checkReach finds what nobody could do: a storefront that could never reopen.
func checkReach(v strictyaml.Value, publishers []Publisher, needs map[Right]int, storefronts []string) {
	if len(publishers) == 0 {
		return
	}
	for _, right := range Rights {
		var beyond []string
		for _, id := range storefronts {
			holders := 0
			for _, p := range publishers {
				if p.Holds(right, id) {
					holders++
				}
			}
			if holders < needs[right] {
				beyond = append(beyond, id)
			}
		}
		if len(beyond) > 0 {
			v.Errorf("%s: %d people have to sign, but fewer may do it on %s; name more publishers, or ask for fewer", right, needs[right], locale.English().List(beyond))
		}
	}
}
