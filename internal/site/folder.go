package site

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Update makes dir hold exactly files, and touches only what differs. It tells
// how many files it wrote or deleted.
//
// Everything is first written whole under a hidden name; an error up to there
// leaves dir as it was. Then each file is renamed into its place: new ones
// before changed ones, and deep ones before the lists above them that link to
// them. What is not among files is deleted last, when nothing links to it.
func Update(dir string, files Files) (changed int, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, explain(dir, dir, err)
	}
	root := resolved(dir)
	changed, err = updateFiles(root, files, func() {})
	if err != nil {
		err = explain(root, dir, err)
	}
	return changed, err
}

// updateFiles calls step after everything it does that a reader could see.
func updateFiles(root string, files Files, step func()) (int, error) {
	there, err := survey(root)
	if err != nil {
		return 0, err
	}
	names, err := differing(root, files, there)
	if err != nil {
		return 0, err
	}
	if err := stage(root, files, names); err != nil {
		return 0, err
	}
	for i, name := range names {
		if err := os.Rename(hidden(root, name), place(root, name)); err != nil {
			unstage(root, names[i:])
			return i, err
		}
		step()
	}
	deleted, err := sweep(root, files, there, step)
	return len(names) + deleted, err
}

// place is where the file called name, with slashes, lies on the disk.
func place(root, name string) string { return filepath.Join(root, filepath.FromSlash(name)) }

// waiting begins the name of a file until it is renamed.
const waiting = ".new-"

// hidden is where the file called name waits.
func hidden(root, name string) string {
	return place(root, path.Join(path.Dir(name), waiting+path.Base(name)))
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

// differing names the files to write, in the order in which they go to their places.
func differing(root string, files Files, there map[string]fs.DirEntry) ([]string, error) {
	var fresh, altered []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := fits(root, name, files, there); err != nil {
			return nil, err
		}
		if entry, ok := there[name]; !ok {
			fresh = append(fresh, name)
		} else if !same(place(root, name), entry, files[name]) {
			altered = append(altered, name)
		}
	}
	deepFirst := func(x, y string) int { return cmp.Compare(strings.Count(y, "/"), strings.Count(x, "/")) }
	slices.SortStableFunc(fresh, deepFirst)
	slices.SortStableFunc(altered, deepFirst)
	return append(fresh, altered...), nil
}

// fits tells whether name can be a file: no folder is in its place, and every
// folder on its way is one, or is still to be made.
func fits(root, name string, files Files, there map[string]fs.DirEntry) error {
	if entry, ok := there[name]; ok && entry.IsDir() {
		return &fs.PathError{Op: "write", Path: place(root, name), Err: syscall.EISDIR}
	}
	for up := path.Dir(name); up != "."; up = path.Dir(up) {
		_, isFile := files[up]
		if entry, ok := there[up]; isFile || ok && !entry.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: place(root, up), Err: syscall.ENOTDIR}
		}
	}
	return nil
}

// same tells whether the file at path holds content. What can't be read is to be
// written anew.
func same(path string, entry fs.DirEntry, content []byte) bool {
	if !entry.Type().IsRegular() {
		return false
	}
	if info, err := entry.Info(); err != nil || info.Size() != int64(len(content)) {
		return false
	}
	old, err := os.ReadFile(path)
	return err == nil && bytes.Equal(old, content)
}

// stage writes every file under its hidden name, or leaves nothing behind.
func stage(root string, files Files, names []string) error {
	for i, name := range names {
		temp := hidden(root, name)
		err := os.MkdirAll(filepath.Dir(temp), 0o755)
		if err == nil {
			err = os.WriteFile(temp, files[name], 0o644)
		}
		if err != nil {
			unstage(root, names[:i+1])
			return err
		}
	}
	return nil
}

// unstage removes the hidden files again, and the folders made for them.
func unstage(root string, names []string) {
	for _, name := range names {
		os.Remove(hidden(root, name))
		for up := path.Dir(name); up != "."; up = path.Dir(up) {
			os.Remove(place(root, up)) // fails unless it is empty
		}
	}
}

// sweep deletes what is not among files, and tells how many files that were.
func sweep(root string, files Files, there map[string]fs.DirEntry, step func()) (deleted int, err error) {
	keep := map[string]bool{}
	for name := range files {
		for ; name != "."; name = path.Dir(name) {
			keep[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(there))
	slices.Reverse(names) // what lies in a folder before the folder
	for _, name := range names {
		if keep[name] {
			continue
		}
		switch err := os.Remove(place(root, name)); {
		case errors.Is(err, fs.ErrNotExist):
			continue // a hidden leftover that stage has made use of
		case err != nil:
			return deleted, err
		case !there[name].IsDir():
			deleted++
		}
		step()
	}
	return deleted, nil
}
