package checkout

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Entry is a file, or something else, as a folder of a commit holds it.
type Entry struct {
	Mode string // git's own: see the constants
	ID   string
}

// What an entry is.
const (
	FolderMode    = "40000"
	SymlinkMode   = "120000"
	SubmoduleMode = "160000"
)

// Regular tells a file of its own from a symlink, a submodule and a folder.
func (e Entry) Regular() bool { return e.Mode == "100644" || e.Mode == "100755" }

// same tells whether two entries are the same file: what it says, and that it is
// one.
func (e Entry) same(o Entry) bool { return e.ID == o.ID && e.Regular() == o.Regular() }

// links are what a commit hangs on.
type links struct {
	tree    string
	parents []string
}

// listing is a tree that was read.
type listing struct {
	id      string
	entries map[string]Entry
}

// Head gives the id of the commit that is checked out; "": there is none yet.
func (r *Reader) Head() (string, error) {
	id, raw, err := r.object("HEAD", "commit", maxCommit)
	if errors.Is(err, errMissing) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	_, err = r.keep(id, raw)
	return id, err
}

// Files gives what the folder holds in a commit, by name; nothing where there is no
// such folder.
func (r *Reader) Files(commit string) (map[string]Entry, error) {
	l, err := r.linksOf(commit)
	if err != nil {
		return nil, err
	}
	tree := l.tree
	for _, name := range r.folder {
		entries, err := r.list(tree, false)
		if err != nil {
			return nil, err
		}
		next, ok := entries[name]
		if !ok || next.Mode != FolderMode {
			return nil, nil
		}
		tree = next.ID
	}
	return r.list(tree, true)
}

// Blob gives the bytes of a file; ErrTooLarge where they are more than limit.
func (r *Reader) Blob(e Entry, limit int64) ([]byte, error) {
	_, src, err := r.object(e.ID, "blob", limit)
	return src, err
}

// Commit reads a commit.
func (r *Reader) Commit(id string) (*Commit, error) {
	_, raw, err := r.object(id, "commit", maxCommit)
	if err != nil {
		return nil, err
	}
	c, err := ParseCommit(id, raw)
	if err != nil {
		return nil, fmt.Errorf("commit %s %w", Short(id), err)
	}
	return c, nil
}

// linksOf gives what a commit hangs on. Few of a long history are wanted whole.
func (r *Reader) linksOf(id string) (links, error) {
	if l, known := r.links[id]; known {
		return l, nil
	}
	_, raw, err := r.object(id, "commit", maxCommit)
	if err != nil {
		return links{}, err
	}
	return r.keep(id, raw)
}

func (r *Reader) keep(id string, raw []byte) (links, error) {
	l, err := parseLinks(raw)
	if err != nil {
		return l, fmt.Errorf("commit %s %w", Short(id), err)
	}
	r.links[id] = l
	return l, nil
}

// list reads a tree. Those of the folder itself are kept, so that each is read once
// where a history is followed.
func (r *Reader) list(tree string, keep bool) (map[string]Entry, error) {
	for _, l := range r.listed {
		if l.id == tree {
			return l.entries, nil
		}
	}
	_, body, err := r.object(tree, "tree", maxTree)
	if err != nil {
		return nil, err
	}
	entries, err := parseTree(body, len(tree)/2)
	if err != nil {
		return nil, fmt.Errorf("git tree %s %w", tree, err)
	}
	if keep {
		r.listed = [2]listing{{tree, entries}, r.listed[0]}
	}
	return entries, nil
}

// parseTree reads the entries of a tree, each a mode, a space, a name, a zero byte and
// an id of that many bytes.
func parseTree(body []byte, idSize int) (map[string]Entry, error) {
	entries := map[string]Entry{}
	for len(body) > 0 {
		head, rest, found := bytes.Cut(body, []byte{0})
		mode, name, spaced := bytes.Cut(head, []byte{' '})
		if !found || !spaced || len(rest) < idSize {
			return nil, errors.New("is damaged")
		}
		if _, twice := entries[string(name)]; twice {
			return nil, fmt.Errorf("holds %q twice", name)
		}
		entries[string(name)] = Entry{string(mode), hex.EncodeToString(rest[:idSize])}
		body = rest[idSize:]
	}
	return entries, nil
}

// Origin is the commit that a file is from: the last one that changed it.
type Origin struct {
	*Commit       // nil: nobody can tell, for Err
	Err     error // why the commit doesn't count, whoever signed it; nil: it does
}

// Signed tells whether the commit is known, and bears a signature, whosoever.
func (o *Origin) Signed() bool { return o != nil && o.Commit != nil && o.Signature != nil }

// Origins gives where the files of the folder, as a commit holds them, are from. A
// commit whose parent holds the very same file has not changed it: the file is from
// where the parent has it from, the first one that has (git-rev-list(1), "History
// Simplification"). A merge that settled a conflict is itself the origin.
func (r *Reader) Origins(head string, names []string) (map[string]Origin, error) {
	from := map[string]Origin{}
	type step struct {
		commit string
		names  []string
	}
	for steps := []step{{head, names}}; len(steps) > 0; {
		at := steps[len(steps)-1]
		steps = steps[:len(steps)-1]
		own, inherited, err := r.sort(at.commit, at.names)
		if r.ctx.Err() != nil {
			return nil, err
		}
		for parent, names := range inherited {
			steps = append(steps, step{parent, names})
		}
		if len(own) == 0 {
			continue
		}
		origin := Origin{Err: err}
		if err == nil {
			origin.Commit, origin.Err = r.Commit(at.commit)
		}
		for _, name := range own {
			from[name] = origin
		}
	}
	return from, nil
}

// sort parts the files that a commit changed itself from those that it has from a
// parent. An error is why that can't be told of any of them.
func (r *Reader) sort(commit string, names []string) (own []string, inherited map[string][]string, err error) {
	l, err := r.linksOf(commit)
	if err != nil {
		return names, nil, err
	}
	files, err := r.Files(commit)
	if err != nil {
		return names, nil, err
	}
	own, inherited = slices.Clone(names), map[string][]string{}
	for _, parent := range l.parents {
		before, err := r.Files(parent)
		if errors.Is(err, errMissing) {
			err = ErrCut
		}
		if err != nil {
			return names, nil, err
		}
		own = slices.DeleteFunc(own, func(name string) bool {
			was, held := before[name]
			if held = held && was.same(files[name]); held {
				inherited[parent] = append(inherited[parent], name)
			}
			return held
		})
	}
	return own, inherited, nil
}

// Missing gives those of the commits that are not in the history of head, which is
// in its own; with ErrCut, those that were not found in as much of it as is here.
func (r *Reader) Missing(head string, commits []string) ([]string, error) {
	wanted := map[string]bool{}
	for _, id := range commits {
		wanted[id] = true
	}
	cut := false
	seen := map[string]bool{head: true}
	for next := []string{head}; len(next) > 0 && len(wanted) > 0; next = next[1:] {
		delete(wanted, next[0])
		l, err := r.linksOf(next[0])
		if errors.Is(err, errMissing) && next[0] != head {
			cut = true
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, parent := range l.parents {
			if !seen[parent] {
				seen[parent] = true
				next = append(next, parent)
			}
		}
	}
	missing := slices.Sorted(maps.Keys(wanted))
	if cut && len(missing) > 0 {
		return missing, ErrCut
	}
	return missing, nil
}
