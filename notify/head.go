package notify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/backsoon/backsoon/internal/checkout"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// Head is what the last commit of a git checkout holds of the notices.
type Head struct {
	Commit string                // its id; "": there is none yet
	Files  map[string]*Committed // by the files' names without .md

	lost map[string][]string // commits that counted and aren't in its history: the notices that stand on them
}

// Committed is a notice's file, or a translation's, as a commit holds it.
type Committed struct {
	notice.File
	SHA256     string
	Signatures [][]byte         // in the order of notice.SignatureNames; nil: there is none
	Origin     *checkout.Origin // nil: the content is accepted, and it makes no difference

	entries [3]checkout.Entry // of the file and its signatures
	text    string            // see contentOf
	against Basis             // what it would take the place of
}

// Basis is what an accepted content stands on.
type Basis struct {
	SHA256   string
	Commit   string // that it is from; empty: it was in none that counts
	ByCommit bool   // whose signature made it count
}

// BasisOf is what a version stands on.
func BasisOf(v ledger.Version) Basis {
	return Basis{v.SHA256, v.Commit, v.By.How == "git-signature"}
}

// ReadHead reads what the last commit of a checkout holds. versions is what is
// accepted, by the files' names without .md. An error is why nothing of it can be read.
func ReadHead(ctx context.Context, c *checkout.Checkout, versions map[string]Basis) (*Head, error) {
	r := c.Read(ctx, notice.Folder)
	defer r.Close()
	commit, err := r.Head()
	if err != nil {
		return nil, err
	}
	return readHead(r, commit, versions, nil)
}

// readHead is ReadHead of a commit. What is the same in an earlier head, if there is
// one, isn't read again.
func readHead(r *checkout.Reader, commit string, versions map[string]Basis, before *Head) (*Head, error) {
	h := &Head{Commit: commit, Files: map[string]*Committed{}}
	if commit == "" {
		return h, nil
	}
	held, err := r.Files(commit)
	if err != nil {
		return nil, err
	}
	var changed []string // files that differ from what is accepted
	for name := range held {
		if !notice.IsName(name) {
			continue
		}
		slug := strings.TrimSuffix(name, ".md")
		c := before.same(slug, held)
		if c == nil || c.Src == nil && c.SHA256 != versions[slug].SHA256 {
			c = readCommitted(r, name, held)
		}
		if h.Files[slug] = c; c.SHA256 != versions[slug].SHA256 {
			changed = append(changed, name)
		}
	}
	if err := h.findLost(r, versions, before); err != nil {
		return nil, err
	}
	return h, h.trace(r, changed, versions)
}

// same gives a file of an earlier head if it and its signatures are the same.
func (h *Head) same(slug string, held map[string]checkout.Entry) *Committed {
	if h == nil || h.Files[slug] == nil || h.Files[slug].entries != entriesOf(slug+".md", held) {
		return nil
	}
	c := *h.Files[slug]
	return &c
}

func entriesOf(name string, held map[string]checkout.Entry) [3]checkout.Entry {
	entries := [3]checkout.Entry{held[name]}
	for i, signature := range notice.SignatureNames(name) {
		entries[1+i] = held[signature]
	}
	return entries
}

func readCommitted(r *checkout.Reader, name string, held map[string]checkout.Entry) *Committed {
	c := &Committed{entries: entriesOf(name, held)}
	src, err := readEntry(r, held[name])
	c.File = notice.NewFile(name, src, err)
	c.SHA256, c.text = contentOf(c.File)
	for _, signature := range c.entries[1:] {
		src, err := readEntry(r, signature)
		if err != nil {
			src = nil
		}
		c.Signatures = append(c.Signatures, src)
	}
	return c
}

// kinds are the files that are no files of their own, as notice.NotRegular knows them.
var kinds = map[string]fs.FileMode{checkout.SymlinkMode: fs.ModeSymlink, checkout.SubmoduleMode: fs.ModeDir, checkout.FolderMode: fs.ModeDir}

func readEntry(r *checkout.Reader, e checkout.Entry) ([]byte, error) {
	if !e.Regular() {
		return nil, notice.NotRegular(kinds[e.Mode])
	}
	src, err := r.Blob(e, notice.MaxSize)
	if errors.Is(err, checkout.ErrTooLarge) {
		err = fmt.Errorf("%w (%d KiB); shorten it", err, notice.MaxSize>>10)
	}
	return src, err
}

// findLost finds the commits that counted, and aren't in the history any more. That an
// earlier head had them all, and is itself in the history, spares a long way.
func (h *Head) findLost(r *checkout.Reader, versions map[string]Basis, before *Head) error {
	if before != nil && before.Commit != "" && len(before.lost) == 0 {
		missing, err := r.Missing(h.Commit, []string{before.Commit})
		if err == nil && len(missing) == 0 {
			return nil
		}
	}
	h.lost = map[string][]string{}
	for _, slug := range slices.Sorted(maps.Keys(versions)) {
		if b := versions[slug]; b.ByCommit {
			h.lost[b.Commit] = append(h.lost[b.Commit], slug)
		}
	}
	missing, err := r.Missing(h.Commit, slices.Collect(maps.Keys(h.lost)))
	if err != nil && !errors.Is(err, checkout.ErrCut) {
		return err
	}
	maps.DeleteFunc(h.lost, func(commit string, _ []string) bool { return !slices.Contains(missing, commit) })
	return nil
}

// Holds tells whether a file of the work tree is committed as it is, but for line ends
// that git converts.
func (h *Head) Holds(f notice.File) bool {
	c := h.Files[f.Name]
	_, text := contentOf(f)
	return c != nil && c.text == text
}

// Rewritten says what is wrong with the history as a whole; "": nothing.
func (h *Head) Rewritten() string {
	if h == nil || len(h.lost) == 0 {
		return ""
	}
	commit := slices.Min(slices.Collect(maps.Keys(h.lost)))
	return fmt.Sprintf("the history was rewritten: it no longer holds commit %s, by which %s was published. Bring that commit back (git pull, where this "+
		"checkout is only behind; else git merge -S %s), or sign the notice itself with `backsoon publish` and commit the signature",
		checkout.Short(commit), h.lost[commit][0], checkout.Short(commit))
}

// trace finds the commits that the files are from, and whether these may take the
// place of what is accepted. A commit counts but on top of the one that counted
// before: so a branch that was left behind, or what a reset brought back, has no say.
func (h *Head) trace(r *checkout.Reader, names []string, versions map[string]Basis) error {
	origins, err := r.Origins(h.Commit, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		slug, o := strings.TrimSuffix(name, ".md"), origins[name]
		c := h.Files[slug]
		c.Origin, c.against = &o, versions[slug]
		switch base := c.against.Commit; {
		case o.Commit == nil:
		case len(h.lost) > 0:
			o.Err = errors.New("but " + h.Rewritten())
		case base != "":
			o.Err = descends(r, o.ID, base)
		}
	}
	return nil
}

func descends(r *checkout.Reader, commit, base string) error {
	missing, err := r.Missing(commit, []string{base})
	if err == nil && (len(missing) > 0 || commit == base) {
		err = fmt.Errorf("which does not descend from %s, the commit in force: it is of an older branch, or brought back. "+
			"Make the change again on top of that one, in a signed commit (git commit -S)", checkout.Short(base))
	}
	return err
}
