package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

// How what has to be signed comes into the notices' folder without a moment in which
// a watcher meets it there unsigned: it is signed before, in memory or as a copy
// elsewhere, and brought in once it counts. The signatures come before the notice:
// beside the version in force they are of no account.

// waitingFolder is where notices wait for somebody else's signature, beside the
// notices' own.
var waitingFolder = filepath.Join(filepath.Dir(notice.Folder), "waiting")

// waiting is where a notice waits, as the one who called the command would write it.
func (s *site) waiting(name string) string { return filepath.Join(s.dir, waitingFolder, name+".md") }

// isCopy tells whether an argument is a file that lies elsewhere than the notice of
// that name.
func isCopy(arg, file string) bool {
	at, err := os.Stat(arg)
	there, errThere := os.Stat(file)
	return strings.HasSuffix(arg, ".md") && err == nil && (errThere != nil || !os.SameFile(at, there))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// copied reads a copy and the signatures beside it.
func (s *site) copied(file string, r record, now time.Time) (u unpublished, err error) {
	u, err = s.proposal(notice.ReadCopy(file), notice.SignaturesBeside(file), r, now)
	u.copy = file
	if err != nil || u.problems.Err() != nil {
		return u, err
	}
	there := notice.ReadFile(s.cfg.Dir, u.name+".md")
	if exists(s.file(u.name)) && !bytes.Equal(there.Src, u.Source) && hashOf(there.Src) != r.versions[u.name].SHA256 {
		return u, fmt.Errorf("%s has changes that were not accepted, and would be lost; publish those first, or move that file away", s.path(u.name))
	}
	return u, nil
}

// awaited warns of what waits for somebody else's signature.
func (s *site) awaited(ctx context.Context, now time.Time) (problems strictyaml.Problems, err error) {
	copies, err := filepath.Glob(s.waiting("*"))
	if err != nil || len(copies) == 0 || len(s.cfg.Publishers) == 0 {
		return nil, err
	}
	r, err := s.record(ctx)
	if err != nil {
		return nil, err
	}
	for _, file := range copies {
		u, err := s.copied(file, r, now)
		why := cmp.Or(err, u.refused, errors.New("is signed by everybody whom it takes: bring it in"))
		problems = append(problems, strictyaml.Problem{File: file, Text: why.Error() + ", by `backsoon publish " + u.name + "`", Warning: true})
	}
	return problems, nil
}

// proposal makes a publication of bytes that are not in the folder yet.
func (s *site) proposal(f notice.File, signatures [][]byte, r record, now time.Time) (u unpublished, err error) {
	sha := hashOf(f.Src)
	if f.Problem == nil && r.versions[f.Name].SHA256 == sha {
		return u, errors.New("these very words are in force already")
	}
	u = s.parse(f, signatures, r, now)
	u.judge(s, r.owners[sha], now)
	return u, nil
}

// edit is a notice's new bytes, which a command has made.
type edit struct {
	slug string
	src  []byte
	line string                          // what is said of them behind the file's name
	save func() (remark string, _ error) // writes them into the folder
}

// enact writes what a command has made, once it is signed, where signatures are
// asked for, or, in a checkout, for the owner to commit. What somebody else has to
// sign, too, waits where no watcher looks, and doesn't count yet.
func (s *site) enact(cmd *cobra.Command, e edit, now time.Time) (counts bool, err error) {
	out := cmd.OutOrStdout()
	inHead, err := s.inHead(cmd.Context())
	if err != nil {
		return false, err
	}
	if len(s.cfg.Publishers) == 0 || inHead {
		remark, err := e.save()
		if err != nil {
			return false, err
		}
		fmt.Fprint(out, s.path(e.slug)+e.line+"\n"+remark)
		if inHead { // the commit's signature will do
			return false, s.leftToCommit(out, e.slug+e.line)
		}
		return true, nil
	}
	u, done, err := s.signFirst(cmd, e, now)
	if err != nil {
		return false, err
	}
	if done.more != nil {
		return false, s.await(out, e, u, done)
	}
	var remark string
	err = s.put(u, func() (err error) { remark, err = e.save(); return err })
	if err == nil {
		fmt.Fprint(out, s.path(e.slug)+e.line+"\n"+remark)
		done.print(out, s.path(e.slug))
	}
	return true, err
}

// await puts what isn't signed by enough people where it waits for the others.
func (s *site) await(out io.Writer, e edit, u unpublished, done signed) error {
	u.copy = s.waiting(e.slug)
	if err := putCopy(u); err != nil {
		return err
	}
	fmt.Fprint(out, u.copy+e.line+"\n")
	done.print(out, u.copy)
	_, err := fmt.Fprintf(out, "Until then nothing changes. Whoever signs next runs `backsoon publish %s`, which brings it in.\n", e.slug)
	return err
}

// signFirst signs bytes that are nowhere written yet.
func (s *site) signFirst(cmd *cobra.Command, e edit, now time.Time) (u unpublished, done signed, err error) {
	r, err := s.record(cmd.Context())
	if err != nil {
		return u, done, err
	}
	f := notice.File{Name: e.slug, Slug: e.slug, Path: notice.Path(e.slug), Src: e.src}
	if u, err = s.proposal(f, nil, r, now); err != nil {
		return u, done, err
	}
	if errs := u.problems.Errors(); len(errs) > 0 {
		return u, done, &problemsError{errs, "nothing was written"}
	}
	a := &keyring{hint: cmd.ErrOrStderr()}
	defer a.hangUp()
	if done, err = s.signAll(cmd.Context(), &u, a, now); err != nil {
		err = fmt.Errorf("nothing was written, since it could not be signed: %w", err)
	}
	return u, done, err
}

// putCopy writes a file that waits, with its signatures, in the place of another.
func putCopy(u unpublished) error {
	if err := os.MkdirAll(filepath.Dir(u.copy), 0o777); err != nil {
		return err
	}
	if err := removeSigned(u.copy); err != nil {
		return err
	}
	if err := putFile(u.copy, u.Source); err != nil {
		return err
	}
	return writeSignatures(u.copy, u.Signatures)
}

// removeSigned removes a file and its signatures, as far as they are there.
func removeSigned(file string) error {
	var errs []error
	for _, name := range append([]string{file}, notice.SignatureNames(file)...) {
		if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// writeSignatures writes those that are there beside the file.
func writeSignatures(file string, signatures [][]byte) error {
	for i, name := range notice.SignatureNames(file) {
		if i >= len(signatures) || signatures[i] == nil {
			continue
		}
		if err := putFile(name, signatures[i]); err != nil {
			return err
		}
	}
	return nil
}

// put brings a notice's signatures into the folder and then, by save, the notice.
// Where that fails the signatures are as they were.
func (s *site) put(u unpublished, save func() error) error {
	file := s.file(u.name)
	before := notice.SignaturesBeside(file)
	err := writeSignatures(file, u.Signatures)
	if err == nil {
		err = save()
	}
	if err == nil {
		return nil
	}
	for i, name := range notice.SignatureNames(file) {
		if before[i] == nil && u.Signatures[i] != nil {
			err = errors.Join(err, os.Remove(name))
		}
	}
	return errors.Join(err, writeSignatures(file, before))
}

// bring writes the signatures that were made for a file beside it. A copy that counts
// now is moved into the folder.
func (s *site) bring(out io.Writer, u unpublished, done signed) error {
	at := s.path(u.name)
	if u.copy != "" {
		at = u.copy
	}
	if err := writeSignatures(at, u.Signatures); err != nil {
		return err
	}
	done.print(out, at)
	if u.copy == "" || done.more != nil {
		return nil
	}
	file := s.file(u.name)
	if err := s.put(u, func() error { return putFile(file, u.Source) }); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: brought in from %s\n", s.path(u.name), u.copy)
	if err := removeSigned(u.copy); err != nil { // it counts all the same
		fmt.Fprintf(out, "The copy could not be removed, and is no longer needed: %v\n", err)
	}
	return nil
}

// print says who has signed the file, and who has yet to.
func (done signed) print(out io.Writer, file string) {
	for _, sig := range done.made {
		fmt.Fprintf(out, "%s: signed by %s (%s)\n", notice.SignatureNames(file)[sig.Slot], sig.By.Name, sig.By.Key)
	}
	if done.more != nil {
		fmt.Fprintf(out, "It doesn't count yet: it %s\n", done.more.Text)
	}
}
