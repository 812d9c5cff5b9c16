package site

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// holds wants dir to hold exactly files, and nothing to be left beside it.
func holds(t *testing.T, dir string, files Files) {
	t.Helper()
	got := read(t, dir)
	if !maps.EqualFunc(got, files, slices.Equal) {
		t.Errorf("holds %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(files)))
	}
	beside, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(beside) != 1 {
		t.Errorf("beside it: %v", beside)
	}
}

func put(t *testing.T, dir string, files Files) {
	t.Helper()
	if err := Write(dir, literal(files)); err != nil {
		t.Fatal(err)
	}
}

// renew updates a folder that another process has filled.
func renew(dir string, files Files) (changed int, err error) {
	return NewFolder(dir).Update(literal(files))
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

func TestWriteReplacesTheWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "public")
	put(t, dir, Files{"index.html": []byte("one"), "closures/a/index.html": []byte("a")})
	before := inode(t, dir)
	if err := os.WriteFile(filepath.Join(dir, ".hidden"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	second := Files{"index.html": []byte("two"), "closures/b/index.html": []byte("b")}
	put(t, dir, second)
	holds(t, dir, second)
	if inode(t, dir) == before {
		t.Error("the folder was not exchanged")
	}
}

// A name with no room for more stands for a parent that takes no second folder.
func TestWriteWithoutRoomBeside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("p", 254))
	for _, text := range []string{"one", "two"} {
		files := Files{"index.html": []byte(text), "closures/" + text: []byte(text)}
		put(t, dir, files)
		holds(t, dir, files)
	}
}

func TestWriteKeepsPermissionsAndLinks(t *testing.T) {
	base := t.TempDir()
	target, link := filepath.Join(base, "www", "shop"), filepath.Join(base, "site", "public")
	for _, dir := range []string{target, filepath.Dir(link)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(target, 0o750), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	files := Files{"index.html": []byte("one")}
	put(t, link, files)
	holds(t, link, files)
	holds(t, target, files)
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("permissions: %v, %v", info.Mode(), err)
	}
	if _, err := renew(link, Files{"a/b": []byte("two")}); err != nil {
		t.Fatal(err)
	}
	holds(t, target, Files{"a/b": []byte("two")})
}

// A name that cannot be, like a file below a file, stands for a disk that fails
// half way.
var impossible = Files{"a": []byte("new"), "b/c": []byte("new"), "b/c/d": []byte("new")}

func TestFailingWriteLeavesTheOld(t *testing.T) {
	for name, do := range map[string]func(string) error{
		"Write":  func(dir string) error { return Write(dir, literal(impossible)) },
		"Update": func(dir string) error { _, err := renew(dir, impossible); return err },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "public")
			old := Files{"a": []byte("old"), "index.html": []byte("old")}
			put(t, dir, old)
			err := do(dir)
			if err == nil || !strings.HasPrefix(err.Error(), "public/b/") {
				t.Errorf("got %v", err)
			}
			holds(t, dir, old)
			if _, err := os.Stat(filepath.Join(dir, "b")); err == nil {
				t.Error("an empty folder is left")
			}
		})
	}
}

// The last of the new files can't even be written: the first must not be seen.
func TestUpdateThatFailsHalfWay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "public")
	old := Files{"index.html": []byte("old"), ".new-zz/in-the-way": nil}
	put(t, dir, old)
	if _, err := renew(dir, Files{"a/b/c": []byte("new"), "index.html": []byte("new"), "zz": []byte("new")}); err == nil {
		t.Error("no error")
	}
	holds(t, dir, old)
	if _, err := os.Stat(filepath.Join(dir, "a")); err == nil {
		t.Error("an empty folder is left")
	}
}

func TestUpdateSaysWhatIsInTheWay(t *testing.T) {
	for _, tt := range []struct {
		there, wanted, want string
	}{
		{"closures", "closures/a/index.html", "public/closures: not a directory; remove the file that stands where a folder must be"},
		{"index.html/x", "index.html", "public/index.html: is a directory; remove the folder that stands where a file must be"},
	} {
		dir := filepath.Join(t.TempDir(), "public")
		old := Files{tt.there: []byte("old")}
		put(t, dir, old)
		if _, err := renew(dir, Files{tt.wanted: []byte("new")}); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
		holds(t, dir, old)
	}
}

func TestErrorsSayWhatHelps(t *testing.T) {
	denied := &fs.PathError{Op: "mkdir", Path: "/srv/public.new-1", Err: syscall.EACCES}
	full := &fs.PathError{Op: "write", Path: "/srv/public/closures/a/.new-index.html", Err: syscall.ENOSPC}
	for err, want := range map[error]string{
		denied: "public/: permission denied; let the user who runs backsoon write there",
		full:   "public/closures/a/index.html: no space left on device; make room on the disk",
	} {
		if got := explain("/srv/public", "site/public", err).Error(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestWriteWhereNothingCanBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err := Write(filepath.Join(file, "public"), literal(Files{"index.html": nil}))
	if err == nil || !strings.HasPrefix(err.Error(), "public/: not a directory; ") {
		t.Errorf("got %v", err)
	}
}

func TestWriteRemovesWhatDeadWritersLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "public")
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	foreign := []string{"public.new-design", "public.new-" + strconv.Itoa(os.Getppid())}
	for _, name := range append(foreign, "public.new-"+strconv.Itoa(dead.Process.Pid)) {
		if err := os.MkdirAll(filepath.Join(filepath.Dir(dir), name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, Files{"index.html": []byte("one")})
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "public" && !slices.Contains(foreign, e.Name()) {
			t.Errorf("%s is left", e.Name())
		}
	}
	if len(entries) != 3 {
		t.Errorf("removed what is not ours: %v", entries)
	}
}

// Whoever reads while the site is written sees whole files, old or new.
func TestReadersSeeWholeFiles(t *testing.T) {
	for name, do := range map[string]func(string, Files) error{
		"Write":  func(dir string, files Files) error { return Write(dir, literal(files)) },
		"Update": func(dir string, files Files) error { _, err := renew(dir, files); return err },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "public")
			version := func(i int) Files {
				return Files{"index.html": []byte(strings.Repeat(fmt.Sprintf("%04d", i), 1<<15))}
			}
			put(t, dir, version(0))
			done := make(chan struct{})
			var readers sync.WaitGroup
			for range 2 {
				readers.Go(func() { readWhole(t, filepath.Join(dir, "index.html"), done) })
			}
			for i := range 100 {
				if err := do(dir, version(i+1)); err != nil {
					t.Error(err)
				}
			}
			close(done)
			readers.Wait()
		})
	}
}

// readWhole reads until done, and wants 4-digit numbers that are all the same.
func readWhole(t *testing.T, path string, done chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			return
		}
		if len(content) != 4<<15 || string(content) != strings.Repeat(string(content[:4]), 1<<15) {
			t.Errorf("half a file: %d bytes, from %.4s", len(content), content)
			return
		}
	}
}
