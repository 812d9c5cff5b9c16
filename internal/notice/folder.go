package notice

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// Folder is where a site keeps its notices, relative to the site.
const Folder = "content/closures"

// Path is where a site keeps the notice, relative to the site.
func Path(slug string) string { return Folder + "/" + slug + ".md" }

// File is one entry of the folder that claims to be a notice, or a notice's
// translation. Src is its bytes as far as they were read; Problem is why it cannot
// be one, whatever they say.
type File struct {
	Name     string // without .md: winter-break, or winter-break.pt
	Path     string // relative to the site: content/closures/winter-break.pt.md
	Slug     string
	Language string // of a translation; empty: the notice itself
	Src      []byte
	Problem  *strictyaml.Problem
}

// Names lists the files of a site that claim to be a notice or a translation,
// sorted. Hidden ones, and those that don't end in .md, do not.
func Names(siteDir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(siteDir, Folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no folder %s in %s; create it: mkdir -p %s", Folder, siteDir, filepath.Join(siteDir, Folder))
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if IsName(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil // os.ReadDir has sorted them
}

// IsName tells whether a file of this name claims to be a notice: editors' own
// files (.n.md.swp, n.md~, 4913) and signatures (n.md.sig) do not.
func IsName(name string) bool {
	return strings.HasSuffix(name, ".md") && !strings.HasPrefix(name, ".")
}

// ReadFile reads one notice or translation by its name in the folder,
// winter-break.md. Only a regular file counts: what a symlink, a pipe or a device
// shows can change with nobody writing here.
func ReadFile(siteDir, name string) File {
	return newFile(path.Join(Folder, name), func() ([]byte, error) { return readRegular(filepath.Join(siteDir, Folder, name)) })
}

// ReadCopy reads a file that lies elsewhere, and is to become the notice or the
// translation of its name. Its Path is the one given.
func ReadCopy(file string) File {
	return newFile(file, func() ([]byte, error) { return readRegular(file) })
}

// NewFile is a notice or translation of that name, in the folder, with these bytes, or
// with the reason why it has none.
func NewFile(name string, src []byte, unread error) File {
	return newFile(path.Join(Folder, name), func() ([]byte, error) { return src, unread })
}

func newFile(shown string, read func() ([]byte, error)) File {
	f := File{Name: strings.TrimSuffix(filepath.Base(shown), ".md"), Path: shown}
	f.Slug, f.Language = Split(f.Name)
	fail := func(text string) File {
		f.Problem = &strictyaml.Problem{File: f.Path, Text: text}
		return f
	}
	if !ValidSlug(f.Slug) {
		return fail(badSlug(f.Slug))
	}
	src, err := read()
	if err != nil {
		return fail(err.Error())
	}
	f.Src = src
	r := strictyaml.NewReport(f.Path, src)
	if !strictyaml.CheckText(r, src, MaxSize) {
		f.Problem = &r.Problems()[0]
	}
	return f
}

// readRegular opens without following a symlink, and without waiting for the
// other end of a pipe; it reads one byte more than a notice may have, at most.
func readRegular(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, notRegular(name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, NotRegular(info.Mode())
	}
	var src bytes.Buffer
	src.Grow(int(min(info.Size(), MaxSize)) + bytes.MinRead) // so that it need not grow
	_, err = src.ReadFrom(io.LimitReader(f, MaxSize+1))
	return src.Bytes(), err
}

func notRegular(name string, err error) error {
	info, lerr := os.Lstat(name)
	var cause *fs.PathError
	switch {
	case lerr == nil && !info.Mode().IsRegular():
		return NotRegular(info.Mode())
	case errors.Is(err, fs.ErrPermission):
		return errors.New("may not be read by the user that backsoon runs as; change the file's permissions")
	case errors.As(err, &cause):
		return fmt.Errorf("cannot be read: %w", cause.Err)
	}
	return err
}

// NotRegular says that what is in a notice's place is no file of its own.
func NotRegular(m fs.FileMode) error {
	return fmt.Errorf("is %s; a notice is a file of its own: put one here", kindOf(m))
}

func kindOf(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	}
	return "a device or socket"
}

// RenameProblem says that a file holds the bytes of another notice, whose slug is
// other: a file that was renamed would be a second closure, with new mails.
func RenameProblem(file, other string) strictyaml.Problem {
	return strictyaml.Problem{File: file, Line: 1, Column: 1, Text: fmt.Sprintf(
		"looks like a rename of %s; a slug is for ever: call the file %s.md again, or change the text if this is another closure", other, other)}
}
