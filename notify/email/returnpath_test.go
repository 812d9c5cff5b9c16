package email

import (
	"strings"
	"testing"
)

func TestReturnPath(t *testing.T) {
	key, old := []byte("key"), []byte("old")
	for _, to := range []string{"ada@customer.example", "Ada.L+books@Customer.Example", "a=b-c+d@x-y.example"} {
		path := ReturnPath(key, "closures@harbourbooks.example", to)
		if !strings.HasPrefix(path, "closures+") || !strings.HasSuffix(path, "@harbourbooks.example") {
			t.Errorf("%s: %s", to, path)
		}
		if got, ours := Returned([][]byte{old, key}, path); !ours || got != to {
			t.Errorf("%s came back as %s (%v)", to, got, ours)
		}
		if got, ours := Returned([][]byte{key}, strings.ToLower(path)); !ours || !strings.EqualFold(got, to) {
			t.Errorf("%s came back in small letters as %s (%v)", to, got, ours)
		}
		for _, forged := range []string{strings.Replace(path, "=", "x=", 1), strings.Replace(path, "-", "", 1), path[:strings.LastIndex(path, "-")], "@", ""} {
			if got, ours := Returned([][]byte{key}, forged); ours && got == to {
				t.Errorf("%s passes", forged)
			}
		}
		if _, ours := Returned([][]byte{old}, path); ours {
			t.Errorf("%s passes under another key", path)
		}
	}
	long := strings.Repeat("a", 60) + "@customer.example"
	if path := ReturnPath(key, "closures@harbourbooks.example", long); path != "closures@harbourbooks.example" {
		t.Errorf("too long for a return path: %s", path)
	}
}

// FuzzReturned: nothing gives an address without its tag.
func FuzzReturned(f *testing.F) {
	key := [][]byte{[]byte("key")}
	f.Add("closures@harbourbooks.example")
	f.Add(ReturnPath(key[0], "a@b.example", "ada@customer.example"))
	f.Fuzz(func(t *testing.T, path string) {
		if to, ours := Returned(key, path); ours && !strings.Contains(strings.ToLower(path), tag(key[0], to)) {
			t.Errorf("%q gives %q", path, to)
		}
	})
}
