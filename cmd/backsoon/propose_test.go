package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/backsoon/backsoon/internal/authority"
	"github.com/backsoon/backsoon/internal/notice"
)

// slowAgent is an ssh-agent of which the test hears while it signs, as one does that
// waits for a finger on a security key.
type slowAgent struct {
	agent.Agent
	signing func() error
}

func (a *slowAgent) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	if err := a.signing(); err != nil {
		return nil, err
	}
	return a.Agent.Sign(key, data)
}

// newSlowAgent starts one with a key, and gives the key as backsoon.yaml has it.
func newSlowAgent(t *testing.T, signing func() error) (key string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "agent-*") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	t.Setenv("SSH_AUTH_SOCK", listener.Addr().String())
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(&slowAgent{keys, signing}, conn)
		}
	}()
	known, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(known)))
}

// folderOf gives the files of the notices' folder.
func folderOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(filepath.Join(dir, notice.Folder))
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		src, err := os.ReadFile(filepath.Join(dir, notice.Folder, e.Name()))
		if err != nil {
			t.Error(err)
		}
		files[e.Name()] = string(src)
	}
	return files
}

const guardedShop = `shop: {name: Harbour Books, url: "https://status.example/", timezone: Europe/Lisbon}
storefronts: {web: {name: Online shop}}
publishers: [{name: Ada, email: ada@a.example, keys: [%s], may: [close, extend, cancel, reopen]}]
`

// guardedSite is a site with a notice ahead, one publisher, and its slow agent.
func guardedSite(t *testing.T, signing func() error) (s *site, key string) {
	t.Helper()
	dir := t.TempDir()
	key = newSlowAgent(t, signing)
	writeTo(t, filepath.Join(dir, "backsoon.yaml"), fmt.Sprintf(guardedShop, key))
	writeTo(t, filepath.Join(dir, notice.Path("winter")), "---\ntitle: Winter\ncloses: 2098-12-24 18:00\n---\n")
	s = &site{dir: dir}
	if err := s.load(); err != nil {
		t.Fatal(err)
	}
	return s, key
}

func writeTo(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestNothingIsWrittenBeforeItIsSigned: however long somebody takes to touch a key,
// the folder is as it was; and it stays so where they don't.
func TestNothingIsWrittenBeforeItIsSigned(t *testing.T) {
	var before, meanwhile map[string]string
	var refuse error
	asked := 0
	var dir string
	s, _ := guardedSite(t, func() error {
		asked++
		meanwhile = folderOf(t, dir)
		return refuse
	})
	dir = s.dir
	for i, args := range [][]string{{"publish", "winter"}, {"cancel", "winter"}, {"close", "Flood"}, {"reopen", "flood"}} {
		for _, refuse = range []error{errors.New("nobody touched it"), nil} {
			before = folderOf(t, dir)
			var out, errs bytes.Buffer
			code := run(t.Context(), append([]string{"--site", dir}, args...), &out, &errs)
			if (code == exitDone) != (refuse == nil) {
				t.Fatalf("%v: exit %d\n%s%s", args, code, out.String(), errs.String())
			}
			if !maps.Equal(before, meanwhile) {
				t.Errorf("%v: the folder has changed before it was signed", args)
			}
			if after := folderOf(t, dir); maps.Equal(before, after) != (refuse != nil) {
				t.Errorf("%v, %v: the folder after: %v", args, refuse, after)
			}
		}
		if asked != 2*(i+1) {
			t.Errorf("%v: asked %d times", args, asked)
		}
	}
}

// TestSignatureComesFirst: when a notice comes into the folder its signature is there;
// when it doesn't, the signatures are as they were.
func TestSignatureComesFirst(t *testing.T) {
	s, _ := guardedSite(t, func() error { return nil })
	file := s.file("winter")
	for _, old := range []string{"", "the one before"} {
		if old != "" {
			writeTo(t, file+".sig", old)
		}
		u := unpublished{name: "winter"}
		u.add(authority.Signature{Slot: 0, Armored: []byte("new")})
		u.add(authority.Signature{Slot: 1, Armored: []byte("another")})
		errFull := errors.New("the disk is full")
		before := folderOf(t, s.dir)
		err := s.put(u, func() error {
			if there := folderOf(t, s.dir); there["winter.md.sig"] != "new" || there["winter.md.sig.2"] != "another" {
				t.Errorf("as the notice is written: %v", there)
			}
			return errFull
		})
		if !errors.Is(err, errFull) || !maps.Equal(folderOf(t, s.dir), before) {
			t.Errorf("%v; after: %v", err, folderOf(t, s.dir))
		}
	}
}
