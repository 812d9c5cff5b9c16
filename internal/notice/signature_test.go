package notice

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestSigned(t *testing.T) {
	for signature, want := range map[string]string{
		"a.md.sig": "a.md", "a.md.sig.2": "a.md", "a.pt.md.sig": "a.pt.md", "A b.md.sig": "A b.md",
		"a.md": "", "a.md.sig.3": "", "a.sig": "", ".a.md.sig": "", "a.md.sig~": "", "a.md.sig.2.2": "", "": "",
	} {
		if got, ok := Signed(signature); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v", signature, got, ok)
		}
	}
}

func TestReadSignatures(t *testing.T) {
	site := t.TempDir()
	dir := filepath.Join(site, Folder)
	if err := os.MkdirAll(filepath.Join(dir, "c.md.sig"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"a.md.sig.2": "two", "b.md.sig": "", "b.md.sig.2": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("b.md.sig.2", filepath.Join(dir, "c.md.sig.2")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][][]byte{
		"a.md": {nil, []byte("two")}, "b.md": {{}, []byte("x")}, "c.md": {nil, nil}, "d.md": {nil, nil},
	} {
		if got := ReadSignatures(site, name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
