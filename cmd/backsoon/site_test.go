package main

import (
	"bytes"
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
			key, err := s.key()
			if err != nil {
				t.Error(err)
			}
			keys[i] = key
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
	if again, err := s.key(); err != nil || !bytes.Equal(again, keys[0]) {
		t.Errorf("%x, %v", again, err)
	}
}

// TestDamagedKey: it is never replaced, since mails already sent rely on it.
func TestDamagedKey(t *testing.T) {
	s := &site{cfg: &config.Config{Dir: t.TempDir()}}
	if _, err := s.key(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.keyFile(), []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if key, err := s.key(); err == nil {
		t.Errorf("%x", key)
	}
	if text, err := os.ReadFile(s.keyFile()); err != nil || string(text) != "abc\n" {
		t.Errorf("%q, %v", text, err)
	}
}
