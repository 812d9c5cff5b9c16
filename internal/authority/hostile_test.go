package authority

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/backsoon/backsoon/internal/checkout"
	"github.com/backsoon/backsoon/internal/notice"
)

// trap is a program that leaves a mark where it is run.
func trap(t *testing.T) (program, mark string) {
	t.Helper()
	dir := t.TempDir()
	program, mark = filepath.Join(dir, "trap"), filepath.Join(dir, "mark")
	script := fmt.Sprintf("#!/bin/sh\necho \"$0 $*\" >>%s\nexit 1\n", mark)
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return program, mark
}

func sprung(mark string) bool {
	_, err := os.Stat(mark)
	return err == nil
}

// read reads the notice as HEAD has it, and where it is from.
func (c worktree) read() error {
	found, err := checkout.Find(c.Context(), c.dir)
	if err != nil {
		return err
	}
	r := found.Read(c.Context(), notice.Folder)
	defer r.Close()
	head, err := r.Head()
	if err != nil {
		return err
	}
	files, err := r.Files(head)
	if err != nil {
		return err
	}
	if _, err := r.Origins(head, []string{"flood.md"}); err != nil {
		return err
	}
	_, err = r.Blob(files["flood.md"], notice.MaxSize)
	return err
}

// TestHostileCheckout: who can write the repository's settings can have git run
// any program, though not through us.
func TestHostileCheckout(t *testing.T) {
	program, mark := trap(t)
	c := newCheckout(t)
	c.commit(ada, flood, "one")
	c.write(".gitattributes", "*.md diff=trap filter=trap merge=trap\n")
	c.git(ada, "add", "--all")
	c.git(ada, "commit", "--quiet", "--message", "attributes")
	for key, value := range map[string]string{
		"core.fsmonitor": program, "core.pager": program, "pager.log": program, "pager.cat-file": program, "core.editor": program,
		"core.sshCommand": program, "core.askPass": program, "core.gitProxy": program, "core.alternateRefsCommand": program,
		"log.showSignature": "true", "gpg.program": program, "gpg.ssh.program": program,
		"diff.external": program, "diff.trap.textconv": program, "diff.trap.command": program, "log.diffMerges": "on", "log.follow": "true",
		"filter.trap.smudge": program, "filter.trap.clean": program, "filter.trap.process": program, "filter.trap.required": "true",
		"alias.log": "!" + program, "alias.cat-file": "!" + program, "credential.helper": program, "log.mailmap": "true",
		"trace2.eventTarget": mark, "trace2.normalTarget": mark, "trace2.perfTarget": mark,
	} {
		c.git(ada, "config", key, value)
	}
	hooks := filepath.Join(c.dir, ".git", "hooks")
	if err := os.MkdirAll(hooks, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, hook := range []string{"post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman", "pre-auto-gc"} {
		if err := os.Symlink(program, filepath.Join(hooks, hook)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(mark); err != nil { // the settings sprang it while they were made
		t.Fatal(err)
	}
	c.check(flood, "one", ada)
	c.check(flood, "two", owned(t))
	if err := c.read(); err != nil {
		t.Error(err)
	}
	if sprung(mark) {
		what, _ := os.ReadFile(mark)
		t.Errorf("the repository had something run:\n%s", what)
	}
	// The trap is a real one: git's own defaults walk into it.
	cmd := exec.Command("git", "-C", c.dir, "status")
	_ = cmd.Run()
	if !sprung(mark) {
		t.Error("the trap doesn't work")
	}
}

// TestSignedCommit: a signature is checked by a program that the repository may
// name, so none is checked here.
func TestSignedCommit(t *testing.T) {
	program, mark := trap(t)
	c := newCheckout(t)
	c.commit(ada, flood, "one")
	tree := c.git(ada, "rev-parse", "HEAD^{tree}")
	commit := fmt.Sprintf("tree %s\nauthor Ada Lovelace <ada@example.com> 1 +0000\ncommitter x <x> 1 +0000\n"+
		"gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\nsigned\n", tree)
	object := filepath.Join(t.TempDir(), "commit")
	if err := os.WriteFile(object, []byte(commit), 0o644); err != nil {
		t.Fatal(err)
	}
	c.git(ada, "update-ref", "HEAD", c.git(ada, "hash-object", "-t", "commit", "-w", object))
	c.git(ada, "config", "log.showSignature", "true")
	c.git(ada, "config", "gpg.program", program)
	c.check(flood, "one", ada)
	if sprung(mark) {
		t.Error("the signature was checked")
	}
	_ = exec.Command("git", "-C", c.dir, "log", "-1").Run()
	if !sprung(mark) {
		t.Error("the trap doesn't work")
	}
}

// TestPartialClone: git fetches what a partial clone lacks, by the program that
// the repository names.
func TestPartialClone(t *testing.T) {
	for name, settings := range map[string][2]string{
		"by ssh":        {"core.sshCommand", "ssh://localhost/nowhere"},
		"by itself":     {"protocol.ext.allow", ""},
		"from a folder": {"remote.origin.uploadpack", "/"},
	} {
		t.Run(name, func(t *testing.T) {
			program, mark := trap(t)
			c := newCheckout(t)
			c.commit(ada, flood, "one")
			blob := c.git(ada, "rev-parse", "HEAD:"+flood)
			if err := os.Remove(filepath.Join(c.dir, ".git", "objects", blob[:2], blob[2:])); err != nil {
				t.Fatal(err)
			}
			key, url, value := settings[0], settings[1], program
			if key == "protocol.ext.allow" {
				url, value = "ext::"+program, "always"
			}
			for _, kv := range [][2]string{{"core.repositoryFormatVersion", "1"}, {"extensions.partialClone", "origin"},
				{"remote.origin.promisor", "true"}, {"remote.origin.url", url}, {key, value}} {
				c.git(ada, "config", kv[0], kv[1])
			}
			c.check(flood, "one", owned(t))
			if err := c.read(); err == nil {
				t.Error("what isn't there was read")
			}
			if sprung(mark) {
				t.Error("it was fetched")
			}
			_ = exec.Command("git", "-C", c.dir, "cat-file", "blob", blob).Run()
			if !sprung(mark) {
				t.Error("the trap doesn't work")
			}
		})
	}
}
