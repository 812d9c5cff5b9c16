package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

const origin = "status.harbourbooks.example/log"

// tree is a log of so many entries in memory.
func tree(t testing.TB, n int) (hashes tlog.HashReader, root tlog.Hash) {
	t.Helper()
	var all []tlog.Hash
	hashes = tlog.HashReaderFunc(func(places []int64) (found []tlog.Hash, err error) {
		for _, p := range places {
			found = append(found, all[p])
		}
		return found, nil
	})
	for i := range n {
		grown, err := tlog.StoredHashes(int64(i), fmt.Appendf(nil, "entry %d", i), hashes)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, grown...)
	}
	root, err := tlog.TreeHash(int64(n), hashes)
	if err != nil {
		t.Fatal(err)
	}
	return hashes, root
}

func signed(t testing.TB, k Key, origin string, n int) string {
	t.Helper()
	_, root := tree(t, n)
	s, err := k.Sign(origin, int64(n), root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKeyRoundTrip(t *testing.T) {
	k := NewKey()
	again, err := ParseKey(k.PEM())
	if err != nil || again.Verifier(origin) != k.Verifier(origin) {
		t.Errorf("%v", err)
	}
	if NewKey().Verifier(origin) == k.Verifier(origin) {
		t.Error("two keys are the same")
	}
	for _, text := range []string{"", "PRIVATE+KEY+x", strings.Replace(string(k.PEM()), "M", "N", 1), "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"} {
		if _, err := ParseKey([]byte(text)); err == nil {
			t.Errorf("%q is read as a key", text)
		}
	}
}

func TestOpen(t *testing.T) {
	k := NewKey()
	_, root := tree(t, 7)
	note := signed(t, k, origin, 7)
	c, err := Open(note, k.Verifier(origin))
	if err != nil || c != (Checkpoint{origin, 7, root}) {
		t.Errorf("%+v, %v", c, err)
	}
	for name, tt := range map[string]struct{ note, verifier string }{
		"other key":     {note, NewKey().Verifier(origin)},
		"other name":    {note, k.Verifier(origin + "/2")},
		"no key":        {note, "harbour"},
		"size changed":  {strings.Replace(note, "\n7\n", "\n8\n", 1), k.Verifier(origin)},
		"line added":    {strings.Replace(note, "\n\n", "\nmore\n\n", 1), k.Verifier(origin)},
		"not signed":    {note[:strings.Index(note, "—")], k.Verifier(origin)},
		"half":          {note[:len(note)-9], k.Verifier(origin)},
		"other's words": {"status.harbourbooks.example/log\n07\n" + note[len(origin)+3:], k.Verifier(origin)},
	} {
		if _, err := Open(tt.note, tt.verifier); err == nil {
			t.Errorf("%s: it is believed", name)
		}
	}
}

func TestOrigin(t *testing.T) {
	for address, want := range map[string]string{
		"https://status.harbourbooks.example/":     "status.harbourbooks.example/log",
		"https://status.harbourbooks.example":      "status.harbourbooks.example/log",
		"http://127.0.0.1:8080/open/":              "127.0.0.1:8080/open/log",
		"https://shop.example/a+b%20c/%C3%A9/":     "shop.example/a%2Bb%20c/%C3%A9/log",
		"https://b%C3%BCcher.example/geschlossen/": "bücher.example/geschlossen/log",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		got := Origin(u)
		if got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
		signed(t, NewKey(), got, 1) // it can name a key
		for n := range int64(4) {
			base, number := Numbered(Nth(got, n))
			if base != want || number != max(1, n) {
				t.Errorf("%d: %s is number %d of %s", n, Nth(got, n), number, base)
			}
		}
	}
	if got := Nth("a.example/log/7", 9); got != "a.example/log/9" {
		t.Error(got)
	}
	for _, odd := range []string{"", "x", "a.example/7", "a.example/log/1", "a.example/log/x", "a.example/log/-2"} {
		if base, n := Numbered(odd); base != odd || n != 1 {
			t.Errorf("%s: number %d of %s", odd, n, base)
		}
	}
}

func TestFind(t *testing.T) {
	note := signed(t, NewKey(), origin, 12)
	status, err := json.Marshal(map[string]any{"shop": "Harbour Books", "log": map[string]string{"checkpoint": note}})
	if err != nil {
		t.Fatal(err)
	}
	header := Header + ": " + strings.Join(HeaderTokens(note), "\r\n ") + "\r\n"
	for name, file := range map[string]string{
		"note":          note,
		"note with CRs": strings.ReplaceAll(note, "\n", "\r\n"),
		"status.json":   string(status),
		"mail":          "From: a@x.example\r\n" + header + "Subject: Closed\r\n\r\nHello\r\n",
		"mail, with LF": strings.ReplaceAll("From: a@x.example\r\n"+header+"\r\nHello\r\n", "\r\n", "\n"),
		"mbox":          "From a@x.example Thu Dec 24 18:00:00 2026\n" + header + "\nHello\n",
		"proof":         string(Proof{Checkpoint: note}.Format()),
	} {
		if got, err := Find([]byte(file)); err != nil || got != note {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for line := range strings.Lines(header) {
		if len(line) > 80 {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
	}
	for _, file := range []string{"", "{}", `{"log":{"checkpoint":"x"}}`, "From: a@x.example\r\n\r\n" + note[:9], Header + ": !\r\n\r\n"} {
		if got, err := Find([]byte(file)); err == nil {
			t.Errorf("%q holds %q", file, got)
		}
	}
}

func TestProof(t *testing.T) {
	k := NewKey()
	const size = 21
	hashes, _ := tree(t, size)
	note := signed(t, k, origin, size)
	for i := range int64(size) {
		path, err := tlog.ProveRecord(size, i, hashes)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParseProof(Proof{fmt.Appendf(nil, "entry %d", i), i, path, note}.Format())
		if err != nil {
			t.Fatal(err)
		}
		if c, err := p.Verify(k.Verifier(origin)); err != nil || c.Size != size {
			t.Errorf("entry %d: %v", i, err)
		}
		for name, spoil := range map[string]func(*Proof){
			"word":       func(p *Proof) { p.Entry = append(p.Entry, ' ') },
			"index":      func(p *Proof) { p.Index++ },
			"hash":       func(p *Proof) { p.Hashes = slices.Clone(p.Hashes); p.Hashes[0][0]++ },
			"length":     func(p *Proof) { p.Hashes = p.Hashes[1:] },
			"checkpoint": func(p *Proof) { p.Checkpoint = signed(t, k, origin, size+1) },
			"key":        func(p *Proof) { p.Checkpoint = signed(t, NewKey(), origin, size) },
			"end":        func(p *Proof) { p.Index = size },
		} {
			spoilt := p
			spoil(&spoilt)
			if _, err := spoilt.Verify(k.Verifier(origin)); err == nil {
				t.Errorf("entry %d, another %s: it is believed", i, name)
			}
		}
	}
}

// FuzzRead: what is read as a checkpoint or as a proof has one form only.
func FuzzRead(f *testing.F) {
	note := signed(f, NewKey(), origin, 3)
	f.Add([]byte(note))
	f.Add(Proof{[]byte("{}"), 2, tlog.RecordProof{{1}, {2}}, note}.Format())
	f.Add([]byte(Header + ": " + strings.Join(HeaderTokens(note), " ") + "\n\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if c, err := Read(string(file)); err == nil && !strings.HasPrefix(string(file), c.body()[:len(c.body())-1]) {
			t.Errorf("%q is read as %+v", file, c)
		}
		if p, err := ParseProof(file); err == nil && !bytes.Equal(p.Format(), file) {
			t.Errorf("%q is read as %q", file, p.Format())
		}
		if found, err := Find(file); err == nil {
			if _, err := Read(found); err != nil {
				t.Errorf("%q is found: %v", found, err)
			}
		}
	})
}
