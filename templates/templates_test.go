package templates

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// site is a folder with these files beneath templates/.
func site(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, "templates", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, theme fs.FS, name string) string {
	t.Helper()
	b, err := fs.ReadFile(theme, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSiteFilesWin(t *testing.T) {
	theme := FS(site(t, map[string]string{"mail/letter.txt": "mine"}))
	if got := read(t, theme, "mail/letter.txt"); got != "mine" {
		t.Errorf("letter.txt is %q", got)
	}
	if read(t, theme, "mail/letter.html") != read(t, FS(""), "mail/letter.html") {
		t.Error("letter.html is not the default")
	}
}

func TestFoldersAreMerged(t *testing.T) {
	theme := FS(site(t, map[string]string{"mail/letter.txt": "mine", "mail/extra.txt": "more", "own/a.txt": "a"}))
	names, err := fs.Glob(theme, "mail/*.txt")
	if want := []string{"mail/extra.txt", "mail/letter.txt", "mail/question.txt"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("mail/*.txt: %q, %v", names, err)
	}
	for _, dir := range []string{"own", "pages"} {
		if entries, err := fs.ReadDir(theme, dir); err != nil || len(entries) == 0 {
			t.Errorf("%s: %v, %v", dir, entries, err)
		}
	}
	if _, err := fs.ReadDir(theme, "nowhere"); err == nil {
		t.Error("a folder that neither has can be read")
	}
}

func TestSiteWithoutTemplates(t *testing.T) {
	if read(t, FS(t.TempDir()), "mail/letter.txt") == "" {
		t.Error("no default")
	}
}
