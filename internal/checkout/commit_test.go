package checkout

import (
	"bytes"
	"strings"
	"testing"
)

const (
	tree40 = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	people = "author Ada <ada@a.example> 1700000000 +0000\ncommitter GitHub <noreply@github.com> 1700000000 +0000\n"
	armor  = "gpgsig -----BEGIN SSH SIGNATURE-----\n U1NI\n -----END SSH SIGNATURE-----\n"
)

func TestParseCommit(t *testing.T) {
	merge := "mergetag object " + tree40 + "\n type commit\n tag v1\n \n gpgsig inside\n"
	raw := "tree " + tree40 + "\nparent " + tree40 + "\nparent " + tree40 + "\n" + people + merge + "encoding UTF-8\n" + armor + "\nA change\n\ngpgsig not me\n"
	c, err := ParseCommit("id", []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(raw, armor, "", 1); string(c.Payload) != want {
		t.Errorf("payload %q, want %q", c.Payload, want)
	}
	if want := "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n"; string(c.Signature) != want {
		t.Errorf("signature %q, want %q", c.Signature, want)
	}
	if c.Tree != tree40 || len(c.Parents) != 2 || c.Committer != "GitHub <noreply@github.com>" {
		t.Errorf("%+v", c)
	}
	if c, err := ParseCommit("id", []byte("tree "+tree40+"\n"+people+"\n")); err != nil || c.Signature != nil || len(c.Parents) != 0 {
		t.Errorf("unsigned: %+v, %v", c, err)
	}
}

func TestNoCommits(t *testing.T) {
	head := "tree " + tree40 + "\n"
	for what, raw := range map[string]string{
		"empty": "", "no end": head + people, "no tree": people + "\n", "tree later": people + head + "\n", "two trees": head + head + people + "\n",
		"parent later": head + people + "parent " + tree40 + "\n\n", "short parent": head + "parent 4b825d\n" + people + "\n",
		"long parent": head + "parent " + strings.Repeat("a", 64) + "\n" + people + "\n", "capitals": "tree " + strings.ToUpper(tree40) + "\n" + people + "\n",
		"two signatures": head + people + armor + armor + "\nx", "signed first": head + armor + people + "\nx",
		"another's signature": head + people + strings.Replace(armor, "gpgsig", "gpgsig-sha256", 1) + "\nx",
		"tree goes on":        "tree " + tree40 + "\n x\n" + people + "\n",
	} {
		if c, err := ParseCommit("id", []byte(raw)); err == nil {
			t.Errorf("%s: %+v", what, c)
		}
	}
}

// FuzzParseCommit: payload and signature make the commit's bytes again, so that nothing
// in them is overlooked; and what it hangs on is the same, however it is read.
func FuzzParseCommit(f *testing.F) {
	f.Add([]byte("tree " + tree40 + "\nparent " + tree40 + "\n" + people + armor + "\nA change\n"))
	f.Add([]byte("tree " + strings.Repeat("a", 64) + "\n" + people + strings.Replace(armor, "gpgsig", "gpgsig-sha256", 1) + "\n"))
	f.Add([]byte("tree " + tree40 + "\n" + people + "mergetag x\n y\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseCommit("id", raw)
		if err != nil {
			return
		}
		again := c.Payload
		if c.Signature != nil {
			end := bytes.Index(c.Payload, []byte("\n\n")) + 1
			value := strings.ReplaceAll(strings.TrimSuffix(string(c.Signature), "\n"), "\n", "\n ")
			again = append(append([]byte{}, c.Payload[:end]...), signatureHeader(c.Tree)+" "+value+"\n"...)
			again = append(again, c.Payload[end:]...)
		}
		if !bytes.Equal(again, raw) && !bytes.Contains(raw, []byte(signatureHeader(c.Tree)+"\n")) { // a header with no value signs nothing
			t.Errorf("%q became %q", raw, again)
		}
		l, err := parseLinks(raw)
		if err != nil || l.tree != c.Tree || strings.Join(l.parents, " ") != strings.Join(c.Parents, " ") {
			t.Errorf("%+v, %v: want %+v", l, err, c)
		}
	})
}
