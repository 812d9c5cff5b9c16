package notice

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
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

func TestNames(t *testing.T) {
	dir := site(t, map[string]string{
		"winter.md": minimal, "flood.md": minimal + "x", "flood.pt.md": minimal, ".flood.md.swp": "x", ".hidden.md": "x", "flood.md~": "x", "4913": "x",
		"flood.md.sig": "x", "notes.txt": "x", "flood.md.tmp": "x", "#flood.md#": "x",
	})
	names, err := Names(dir)
	if want := []string{"flood.md", "flood.pt.md", "winter.md"}; err != nil || !slices.Equal(names, want) {
		t.Fatalf("got %q, %v", names, err)
	}
	for name, want := range map[string]File{
		"flood.md":    {Name: "flood", Slug: "flood", Path: "content/closures/flood.md", Src: []byte(minimal + "x")},
		"flood.pt.md": {Name: "flood.pt", Slug: "flood", Language: "pt", Path: "content/closures/flood.pt.md", Src: []byte(minimal)},
	} {
		if got := ReadFile(dir, name); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestNamesWithoutFolder(t *testing.T) {
	if names, err := Names(t.TempDir()); err == nil || !strings.Contains(err.Error(), "/content/closures") || strings.Contains(err.Error(), "init") {
		t.Errorf("%v, %v", names, err)
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
	names, err := Names(dir)
	if err != nil || len(names) != 9 {
		t.Errorf("%q, %v: what is no notice but claims to be one has to be reported", names, err)
	}
}
