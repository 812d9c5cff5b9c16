package site

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Write makes dir hold exactly the edition. The whole site is built in a folder
// beside dir, which then takes dir's place in one step; where that can't be done
// (dir is a mount point, or its parent may not be written to), a Folder does it
// file by file. On an error dir is as it was, and nothing is left beside it. One
// process may write to dir at a time.
func Write(dir string, e *Edition) error {
	root := resolved(dir)
	temp := beside(root) + strconv.Itoa(os.Getpid())
	removeLeftovers(root)
	defer os.RemoveAll(temp)
	if os.Mkdir(temp, 0o755) == nil {
		if err := fill(temp, root, e); err != nil {
			return explain(temp, dir, err)
		}
		if swap(temp, root) == nil {
			return nil
		}
		os.RemoveAll(temp) // make room before the same files are written again
	}
	_, err := NewFolder(dir).Update(e)
	return err
}

// resolved gives the folder that dir leads to: a link stays a link.
func resolved(dir string) string {
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		return target
	}
	return dir
}

// beside begins the names of the folders in which Write builds; the process id
// ends them.
func beside(root string) string { return root + ".new-" }

// removeLeftovers removes what writers that were killed left beside root.
func removeLeftovers(root string) {
	parent := filepath.Dir(root)
	entries, _ := os.ReadDir(parent) // if it can't be read, nothing was left there
	for _, entry := range entries {
		path := filepath.Join(parent, entry.Name())
		id, ok := strings.CutPrefix(path, beside(root))
		if pid, err := strconv.Atoi(id); ok && err == nil && (pid == os.Getpid() || !running(pid)) {
			os.RemoveAll(path)
		}
	}
}

func running(pid int) bool {
	process, err := os.FindProcess(pid)
	return err == nil && !errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// fill writes the edition into the empty folder temp, and gives it root's
// permissions.
func fill(temp, root string, e *Edition) error {
	if info, err := os.Stat(root); err == nil {
		if err := os.Chmod(temp, info.Mode().Perm()); err != nil {
			return err
		}
	}
	return renderAll(e.list(), func(f *file, content []byte) error { return write(place(temp, f.path), content) })
}

// swap puts temp in root's place. What was there is then at temp.
func swap(temp, root string) error {
	if _, err := os.Lstat(root); errors.Is(err, fs.ErrNotExist) {
		return os.Rename(temp, root)
	}
	return exchange(temp, root)
}

// explain says what to do about a file error. The file lies under root, which
// the owner knows as dir.
func explain(root, dir string, err error) error {
	name := filepath.Base(dir) + "/"
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	path := root
	switch {
	case errors.As(err, &pathErr):
		path, err = pathErr.Path, pathErr.Err
	case errors.As(err, &linkErr):
		path, err = linkErr.New, linkErr.Err
	}
	if rel, relErr := filepath.Rel(root, path); relErr == nil && filepath.IsLocal(rel) && rel != "." {
		name += strings.Replace(filepath.ToSlash(rel), waiting, "", 1)
	}
	return fmt.Errorf("%s: %w; %s", name, err, remedy(err))
}

// remedy is what helps against an error of the system.
func remedy(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "let the user who runs backsoon write there"
	case errors.Is(err, syscall.EROFS):
		return "mount the disk so that it can be written to"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room on the disk"
	case errors.Is(err, syscall.ENOTDIR):
		return "remove the file that stands where a folder must be"
	case errors.Is(err, syscall.EISDIR):
		return "remove the folder that stands where a file must be"
	}
	return "build again when that is mended"
}
