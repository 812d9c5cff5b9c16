package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/backsoon/backsoon/internal/checkout"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/notify"
)

// submission is a file that somebody wants to count.
type submission struct {
	notice.File
	signatures  [][]byte
	origin      *checkout.Origin // nil: it is in no commit that counts
	uncommitted bool             // which it has to be
}

// submissions lists the files of the folder or, in a checkout, those of HEAD, and in the
// place of these, or beside them, what in the work tree is not committed yet.
func (s *site) submissions(ctx context.Context, r *record) (all []submission, err error) {
	names, err := notice.Names(s.cfg.Dir)
	if err != nil {
		return nil, err
	}
	if r.head, err = s.head(ctx, r.versions); err != nil {
		return nil, err
	}
	for _, name := range names {
		f := notice.ReadFile(s.cfg.Dir, name)
		if r.head == nil || !r.head.Holds(f) {
			all = append(all, submission{f, notice.ReadSignatures(s.cfg.Dir, name), nil, r.head != nil})
		}
	}
	if r.head != nil {
		for _, name := range slices.Sorted(maps.Keys(r.head.Files)) {
			if !slices.ContainsFunc(all, func(w submission) bool { return w.Name == name }) {
				all = append(all, s.committed(r.head.Files[name], r.versions[name]))
			}
		}
	}
	return all, nil
}

// committed is a file as HEAD holds it or, where it doesn't count yet and somebody has
// signed it in the work tree, with that signature, which is to be committed.
func (s *site) committed(c *notify.Committed, accepted notify.Basis) submission {
	sub := submission{c.File, c.Signatures, c.Origin, false}
	for i, beside := range notice.ReadSignatures(s.cfg.Dir, c.Name+".md") {
		if beside != nil && !bytes.Equal(beside, c.Signatures[i]) && c.SHA256 != accepted.SHA256 {
			sub.signatures = slices.Clone(sub.signatures)
			sub.signatures[i], sub.uncommitted = beside, true
		}
	}
	return sub
}

// around gives the checkout that the site lies in; nil: there is none, or publishers
// aren't set, and the folder counts as it is.
func (s *site) around(ctx context.Context) (*checkout.Checkout, error) {
	if len(s.cfg.Publishers) == 0 {
		return nil, nil
	}
	return checkout.Find(ctx, s.cfg.Dir)
}

// head reads what counts in a checkout; nil: the folder counts as it is, since the
// last commit holds no notice.
func (s *site) head(ctx context.Context, versions map[string]notify.Basis) (*notify.Head, error) {
	ctx, cancel := context.WithTimeout(ctx, checkout.Patience)
	defer cancel()
	c, err := s.around(ctx)
	if c == nil || err != nil {
		return nil, err
	}
	h, err := notify.ReadHead(ctx, c, versions)
	if err != nil || len(h.Files) == 0 {
		return nil, err
	}
	return h, nil
}

// inHead tells whether the last commit of a checkout holds notices, without a look at
// its history.
func (s *site) inHead(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, checkout.Patience)
	defer cancel()
	c, err := s.around(ctx)
	if c == nil || err != nil {
		return false, err
	}
	r := c.Read(ctx, notice.Folder)
	defer r.Close()
	head, err := r.Head()
	if head == "" || err != nil {
		return false, err
	}
	files, err := r.Files(head)
	return slices.ContainsFunc(slices.Collect(maps.Keys(files)), notice.IsName), err
}

// leftToCommit says what is still to be done, in a checkout, with what a command wrote.
func (s *site) leftToCommit(out io.Writer, message string) error {
	git := "git"
	if s.dir != "." {
		git += " -C " + s.dir
	}
	_, err := fmt.Fprintf(out, "It counts once it is committed, signed, and pushed where the watcher runs elsewhere:\n"+
		"  %s add content && %s commit -S -m %q && %s push\n", git, git, message, git)
	return err
}
