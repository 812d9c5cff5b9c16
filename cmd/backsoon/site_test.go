package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/backsoon/backsoon/internal/config"
)

// TestOneKey: however many begin at once, a site has one key, which nobody else
// may read.
func TestOneKey(t *testing.T) {
	s := &site{cfg: &config.Config{Dir: t.TempDir()}}
	keys := make([][]byte, 16)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			made, err := s.keys()
			if err != nil || len(made) != 1 {
				t.Error(made, err)
				return
			}
			keys[i] = made[0]
		})
	}
	all.Wait()
	for _, key := range keys {
		if len(key) != keySize || !bytes.Equal(key, keys[0]) {
			t.Fatalf("different keys: %x", keys)
		}
	}
	if info, err := os.Stat(s.keyFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if left, err := os.ReadDir(filepath.Dir(s.keyFile())); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	if again, err := s.keys(); err != nil || !bytes.Equal(again[0], keys[0]) {
		t.Errorf("%x, %v", again, err)
	}
}

// TestDamagedKey: it is never replaced, since mails already sent rely on it.
func TestDamagedKey(t *testing.T) {
	s := &site{cfg: &config.Config{Dir: t.TempDir()}}
	good, err := s.keys()
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{"", "abc\n", hex.EncodeToString(good[0]) + "\nabc\n"} {
		if err := os.WriteFile(s.keyFile(), []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if key, err := s.keys(); err == nil {
			t.Errorf("%x", key)
		}
		if text, err := os.ReadFile(s.keyFile()); err != nil || string(text) != damaged {
			t.Errorf("%q, %v", text, err)
		}
	}
}

// TestAnotherKey: with a new key on top, what the old one sealed is still good.
func TestAnotherKey(t *testing.T) {
	s := &site{cfg: &config.Config{Dir: t.TempDir()}}
	old, err := s.keys()
	if err != nil {
		t.Fatal(err)
	}
	fresh := newKey()
	if err := os.WriteFile(s.keyFile(), fmt.Appendf(nil, "%x\n%x\n", fresh, old[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	both, err := s.keys()
	if err != nil || len(both) != 2 || !bytes.Equal(both[0], fresh) || !bytes.Equal(both[1], old[0]) {
		t.Errorf("%x, %v", both, err)
	}
}
