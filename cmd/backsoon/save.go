package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// createFile writes a new file, whole or not at all, and never over another:
// that is fs.ErrExist.
func createFile(path string, src []byte) error { return create(path, src, 0o666) }

// createSecret is createFile for what nobody else may read.
func createSecret(path string, src []byte) error { return create(path, src, 0o600) }

func create(path string, src []byte, mode fs.FileMode) error {
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	hidden, err := writeHidden(path, src, mode)
	if err != nil {
		return err
	}
	defer os.Remove(hidden)
	if err := os.Link(hidden, path); err != nil {
		return err
	}
	return syncDir(path)
}

// replaceFile puts a file in the place of another, whole or not at all.
func replaceFile(path string, src []byte) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	return overwrite(path, src, info.Mode().Perm())
}

// overwrite writes a file with that mode, whole or not at all, whether or not there is one already.
func overwrite(path string, src []byte, mode fs.FileMode) error {
	hidden, err := writeHidden(path, src, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(hidden, mode), os.Rename(hidden, path)); err != nil {
		os.Remove(hidden)
		return err
	}
	return syncDir(path)
}

// writeHidden writes and syncs a file beside path, under a name that is no
// notice's.
func writeHidden(path string, src []byte, mode fs.FileMode) (hidden string, err error) {
	hidden = filepath.Join(filepath.Dir(path), "."+rand.Text())
	f, err := os.OpenFile(hidden, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	var cause *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no folder %s; put it back, or create it", filepath.Dir(path))
	case errors.As(err, &cause): // without the name, which nobody knows
		return "", fmt.Errorf("the folder %s can't be written to: %w", filepath.Dir(path), cause.Err)
	}
	_, err = f.Write(src)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(hidden)
	}
	return hidden, err
}

// syncDir makes a new name last.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
