package notice

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// site makes a site's folder with these files in content/closures.
func site(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, Folder), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, src := range files {
		if err := os.WriteFile(filepath.Join(dir, Folder, name), []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadDir(t *testing.T) {
	dir := site(t, map[string]string{
		"winter.md": minimal, "flood.md": minimal + "x", ".flood.md.swp": "x", ".hidden.md": "x", "flood.md~": "x", "4913": "x",
		"flood.md.sig": "x", "notes.txt": "x", "flood.md.tmp": "x", "#flood.md#": "x",
	})
	files, err := ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for i, want := range []File{
		{Slug: "flood", Path: "content/closures/flood.md", Src: []byte(minimal + "x")},
		{Slug: "winter", Path: "content/closures/winter.md", Src: []byte(minimal)},
	} {
		if got := files[i]; got.Slug != want.Slug || got.Path != want.Path || string(got.Src) != string(want.Src) || got.Problem != nil {
			t.Errorf("got %+v, problem %v", got, got.Problem)
		}
	}
}

func TestReadDirWithoutFolder(t *testing.T) {
	if files, err := ReadDir(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no folder content/closures in ") {
		t.Errorf("%v, %v", files, err)
	}
}

func TestReadFileRefuses(t *testing.T) {
	dir := site(t, map[string]string{
		"real.md": minimal, "Big Name.md": minimal, "large.md": strings.Repeat("x", 300<<10), "latin1.md": "---\ntitle: Fl\xffood\n---\n",
		"full.md": strings.Repeat("x", 256<<10),
	})
	in := func(name string) string { return filepath.Join(dir, Folder, name) }
	for _, err := range []error{
		os.Symlink(in("real.md"), in("link.md")), os.Symlink("nowhere", in("dangling.md")),
		os.Mkdir(in("folder.md"), 0o755), syscall.Mkfifo(in("pipe.md"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"link.md": "is a symbolic link", "dangling.md": "is a symbolic link", "folder.md": "is a folder", "pipe.md": "is a pipe",
		"large.md": "larger than it may be (256 KiB)", "latin1.md": "2:10: this character is not UTF-8", "gone.md": "cannot be read: no such file",
		"Big Name.md": `the name "Big Name" cannot be part of an address; use a-z, 0-9 and -, at most 80 of them, and call the file big-name.md`,
	} {
		f := ReadFile(dir, name)
		if f.Problem == nil || !strings.Contains(f.Problem.String(), want) || f.Problem.File != "content/closures/"+name {
			t.Errorf("%s: got %v, want %s", name, f.Problem, want)
		}
	}
	for _, name := range []string{"real.md", "full.md"} {
		if f := ReadFile(dir, name); f.Problem != nil {
			t.Errorf("%s: %v", name, f.Problem)
		}
	}
	files, err := ReadDir(dir)
	if err != nil || len(files) != 9 {
		t.Errorf("%d files, %v: what is no notice but claims to be one has to be reported", len(files), err)
	}
}

func TestDuplicates(t *testing.T) {
	dir := site(t, map[string]string{"winter-break.md": minimal, "z-winter.md": minimal, "other.md": whole, "empty.md": "", "void.md": ""})
	files, err := ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := Duplicates(files)
	const want = "content/closures/z-winter.md:1:1: looks like a rename of winter-break; a slug is for ever: call the file winter-break.md again"
	if len(got) != 1 || !strings.HasPrefix(got[0].String(), want) {
		t.Errorf("got %v", got)
	}
}
