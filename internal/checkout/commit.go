package checkout

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Commit is a commit, as its bytes have it.
type Commit struct {
	ID        string
	Tree      string
	Parents   []string
	Committer string // "GitHub <noreply@github.com>": what the commit says, which only a signature vouches for
	Payload   []byte // what a signature of it is over: all but the signature
	Signature []byte // as armored text, of whatever kind; nil: none
}

// Short is the commit's name as people write it.
func (c *Commit) Short() string { return Short(c.ID) }

// Short is a commit's id as people write it.
func Short(id string) string { return id[:min(len(id), 10)] }

// ParseCommit reads a commit's bytes, in the one way in which git writes them: the
// tree and the parents first, and a signature last (gitformat-signature(5)). So
// payload and signature make the commit's bytes again, and nothing can be put beside
// them.
func ParseCommit(id string, raw []byte) (*Commit, error) {
	end := bytes.Index(raw, []byte("\n\n"))
	if end < 0 {
		return nil, errors.New("is no commit: it has no end of its headers")
	}
	c := &Commit{ID: id, Payload: make([]byte, 0, len(raw))}
	named := false // whatever may stand between the parents and the signature
	for _, h := range headers(raw[:end+1]) {
		switch key, value := h.split(); {
		case c.Signature != nil:
			return nil, errors.New("is no commit as git makes them: something stands behind its signature")
		case key == "tree" && c.Tree == "":
			c.Tree = value
		case key == "parent" && c.Tree != "" && !named:
			c.Parents = append(c.Parents, value)
		case key == "tree", key == "parent", c.Tree == "":
			return nil, errors.New("is no commit as git makes them: its headers are in another order")
		case key == signatureHeader(c.Tree):
			c.Signature = []byte(value + "\n")
			continue
		case strings.HasPrefix(key, "gpgsig"):
			return nil, fmt.Errorf("is signed for another kind of repository (%s)", key)
		default:
			named = true
			if key == "committer" {
				c.Committer = withoutTime(value)
			}
		}
		c.Payload = append(c.Payload, h...)
	}
	c.Payload = append(c.Payload, raw[end+1:]...)
	if l := (links{c.Tree, c.Parents}); !l.wellLinked() {
		return nil, errNoCommit
	}
	return c, nil
}

var errNoCommit = errors.New("is no commit: it doesn't name its tree and parents")

// parseLinks reads what a commit hangs on and nothing else of it: an old history may
// have commits that were made in other ways.
func parseLinks(raw []byte) (links, error) {
	var l links
	for line := range bytes.Lines(raw) {
		key, value, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		switch {
		case key == "tree" && l.tree == "":
			l.tree = value
		case key == "parent" && l.tree != "":
			l.parents = append(l.parents, value)
		case !l.wellLinked():
			return links{}, errNoCommit
		default:
			return l, nil
		}
	}
	return links{}, errNoCommit
}

// wellLinked tells whether a tree and parents are named as they have to be.
func (l links) wellLinked() bool {
	return isID(l.tree) && !slices.ContainsFunc(l.parents, func(p string) bool { return !isID(p) || len(p) != len(l.tree) })
}

// signatureHeader is the header of a repository's signatures; the hash in use shows
// in the length of ids.
func signatureHeader(tree string) string {
	if len(tree) == 40 {
		return "gpgsig"
	}
	return "gpgsig-sha256"
}

// header is one header with all its lines.
type header []byte

// headers takes a commit's headers apart. A line that begins with a space goes on
// with the one before.
func headers(text []byte) (all []header) {
	for begin, at := 0, 0; at < len(text); {
		at += bytes.IndexByte(text[at:], '\n') + 1 // the last line ends in one, too
		if at == len(text) || text[at] != ' ' {
			all = append(all, header(text[begin:at]))
			begin = at
		}
	}
	return all
}

// split gives the header's key and its value, without the spaces before the lines
// that go on with it and without the last line's end.
func (h header) split() (key, value string) {
	text := strings.TrimSuffix(string(h), "\n")
	first, _, _ := strings.Cut(text, "\n")
	key, _, _ = strings.Cut(first, " ")
	return key, strings.ReplaceAll(strings.TrimPrefix(text[len(key):], " "), "\n ", "\n")
}

// withoutTime is the person in "Ada <ada@a.example> 1700000000 +0000".
func withoutTime(person string) string {
	if i := strings.LastIndexByte(person, '>'); i >= 0 {
		return person[:i+1]
	}
	return person
}
