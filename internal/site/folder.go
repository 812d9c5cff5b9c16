package site

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Folder is public/ under the hand of one process, which brings it from edition
// to edition and touches only what differs.
type Folder struct {
	dir   string
	holds map[string]held // by path; nil: the disk has to tell
	step  func()          // after everything that a reader could see
}

// held is a file as it lies in the folder.
type held struct {
	file *file
	sum  [sha256.Size]byte
}

// NewFolder is the folder at dir, which need not be there yet.
func NewFolder(dir string) *Folder { return &Folder{dir: dir, step: func() {}} }

// Update makes the folder hold exactly the edition. It tells how many files it
// wrote or deleted.
//
// Everything is first written whole under a hidden name; an error up to there
// leaves the folder as it was. Then each file is renamed into its place: new ones
// before changed ones, and deep ones before the lists above them that link to
// them. What is not in the edition is deleted last, when nothing links to it.
func (f *Folder) Update(e *Edition) (changed int, err error) {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return 0, explain(f.dir, f.dir, err)
	}
	root := resolved(f.dir)
	u := &renewal{root: root, holds: f.holds, step: f.step}
	if f.holds == nil {
		err = u.adopt(e)
	} else {
		err = u.follow(e)
	}
	if err == nil {
		changed, err = u.carryOut()
	}
	if err != nil {
		f.holds = nil
		return changed, explain(root, f.dir, err)
	}
	f.holds = u.holds
	return changed, nil
}

// renewal is one update of the folder under way.
type renewal struct {
	root  string
	step  func()
	holds map[string]held // what there will be
	gone  []string        // what will not, files and folders

	mu             sync.Mutex
	fresh, altered []string // what is written under a hidden name
}

// follow compares with what the folder is known to hold.
func (u *renewal) follow(e *Edition) error {
	var changed []*file
	for path, f := range e.files {
		if old, ok := u.holds[path]; !ok || old.file != f {
			changed = append(changed, f)
		}
	}
	before := make(map[string]held, len(changed))
	for _, f := range changed {
		if old, ok := u.holds[f.path]; ok {
			before[f.path] = old
		}
	}
	if fresh := len(changed) - len(before); len(u.holds)+fresh > len(e.files) {
		u.lose(e)
	}
	return u.stageAll(changed, func(f *file, content []byte) (there, same bool) {
		old, ok := before[f.path]
		return ok, ok && old.sum == sha256.Sum256(content)
	})
}

// lose finds what is held and no longer in the edition.
func (u *renewal) lose(e *Edition) {
	for path := range u.holds {
		if e.files[path] == nil {
			u.gone = append(u.gone, path)
			delete(u.holds, path)
		}
	}
	u.gone = append(u.gone, emptied(u.gone, e)...)
}

// emptied names the folders that hold nothing any more once the files are gone.
func emptied(gone []string, e *Edition) (folders []string) {
	if len(gone) == 0 {
		return nil
	}
	needed := e.folders()
	for _, name := range gone {
		for up := path.Dir(name); up != "." && !needed[up]; up = path.Dir(up) {
			needed[up] = true
			folders = append(folders, up)
		}
	}
	return folders
}

// folders are those that the edition's files lie in.
func (e *Edition) folders() map[string]bool {
	folders := map[string]bool{}
	for name := range e.files {
		for up := path.Dir(name); up != "." && !folders[up]; up = path.Dir(up) {
			folders[up] = true
		}
	}
	return folders
}

// adopt compares with what lies on the disk, whoever wrote it.
func (u *renewal) adopt(e *Edition) error {
	u.holds = make(map[string]held, len(e.files))
	there, err := survey(u.root)
	if err != nil {
		return err
	}
	for name := range e.files {
		if err := fits(u.root, name, e, there); err != nil {
			return err
		}
	}
	folders := e.folders()
	for name := range there {
		if e.files[name] == nil && !folders[name] {
			u.gone = append(u.gone, name)
		}
	}
	return u.stageAll(e.list(), func(f *file, content []byte) (exists, same bool) {
		entry, ok := there[f.path]
		return ok, ok && lies(place(u.root, f.path), entry, content)
	})
}

// stageAll renders the files and writes those under their hidden names that are
// not the same already, or leaves nothing behind.
func (u *renewal) stageAll(files []*file, compare func(*file, []byte) (there, same bool)) error {
	err := renderAll(files, func(f *file, content []byte) error {
		there, same := compare(f, content)
		u.mu.Lock()
		u.holds[f.path] = held{f, sha256.Sum256(content)}
		switch {
		case same:
		case there:
			u.altered = append(u.altered, f.path)
		default:
			u.fresh = append(u.fresh, f.path)
		}
		u.mu.Unlock()
		if same {
			return nil
		}
		return write(hidden(u.root, f.path), content)
	})
	if err != nil {
		u.unstage(append(u.fresh, u.altered...))
	}
	return err
}

// carryOut renames what was staged into its place and deletes what is gone.
func (u *renewal) carryOut() (changed int, err error) {
	deepFirst := func(x, y string) int {
		return cmp.Or(cmp.Compare(strings.Count(y, "/"), strings.Count(x, "/")), cmp.Compare(x, y))
	}
	slices.SortFunc(u.fresh, deepFirst)
	slices.SortFunc(u.altered, deepFirst)
	names := append(u.fresh, u.altered...)
	for i, name := range names {
		if err := os.Rename(hidden(u.root, name), place(u.root, name)); err != nil {
			u.unstage(names[i:])
			return i, err
		}
		u.step()
	}
	deleted, err := u.sweep()
	return len(names) + deleted, err
}

// sweep deletes what is gone, and tells how many files that were.
func (u *renewal) sweep() (deleted int, err error) {
	slices.Sort(u.gone)
	for _, name := range slices.Backward(u.gone) { // what lies in a folder before the folder
		info, err := os.Lstat(place(u.root, name))
		if err == nil {
			err = os.Remove(place(u.root, name))
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // a hidden leftover that staging has made use of
		case err != nil:
			return deleted, err
		case !info.IsDir():
			deleted++
		}
		u.step()
	}
	return deleted, nil
}

// unstage removes the hidden files again, and the folders made for them.
func (u *renewal) unstage(names []string) {
	for _, name := range names {
		os.Remove(hidden(u.root, name))
		for up := path.Dir(name); up != "."; up = path.Dir(up) {
			os.Remove(place(u.root, up)) // fails unless it is empty
		}
	}
}

// place is where the file called name, with slashes, lies on the disk.
func place(root, name string) string { return filepath.Join(root, filepath.FromSlash(name)) }

// waiting begins the name of a file until it is renamed.
const waiting = ".new-"

// hidden is where the file called name waits.
func hidden(root, name string) string {
	return place(root, path.Join(path.Dir(name), waiting+path.Base(name)))
}

// write makes a file, and the folder for it where there is none: most pages have
// one of their own.
func write(path string, content []byte) error {
	dir := filepath.Dir(path)
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

// survey lists what lies under root, by its path with slashes.
func survey(root string) (map[string]fs.DirEntry, error) {
	there := map[string]fs.DirEntry{}
	err := filepath.WalkDir(root, func(p string, entry fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		rel, err := filepath.Rel(root, p)
		there[filepath.ToSlash(rel)] = entry
		return err
	})
	return there, err
}

// fits tells whether name can be a file: no folder is in its place, and every
// folder on its way is one, or is still to be made.
func fits(root, name string, e *Edition, there map[string]fs.DirEntry) error {
	if entry, ok := there[name]; ok && entry.IsDir() {
		return &fs.PathError{Op: "write", Path: place(root, name), Err: syscall.EISDIR}
	}
	for up := path.Dir(name); up != "."; up = path.Dir(up) {
		if entry, ok := there[up]; e.files[up] != nil || ok && !entry.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: place(root, up), Err: syscall.ENOTDIR}
		}
	}
	return nil
}

// lies tells whether the file at path holds content. What can't be read is to be
// written anew.
func lies(path string, entry fs.DirEntry, content []byte) bool {
	if !entry.Type().IsRegular() {
		return false
	}
	if info, err := entry.Info(); err != nil || info.Size() != int64(len(content)) {
		return false
	}
	old, err := os.ReadFile(path)
	return err == nil && bytes.Equal(old, content)
}
