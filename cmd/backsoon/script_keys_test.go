package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

func init() {
	scriptCommands["sshkey"] = sshKey
	scriptCommands["sshagent"] = sshAgent
	scriptCommands["securitykey"] = plugIn
}

// plugIn is `securitykey`: from here on a security key is plugged in, in software. What
// asks it is OpenSSH's own, its helper for security keys included.
func plugIn(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 0, "securitykey")
	library, err := securityKey()
	ts.Check(err)
	ts.Setenv("SSH_SK_PROVIDER", library)
}

// securityKey builds the key once. It lasts as long as the test's own program.
var securityKey = sync.OnceValues(func() (string, error) {
	library := filepath.Join(filepath.Dir(os.Args[0]), "securitykey.so")
	out, err := exec.Command("go", "build", "-buildmode=c-shared", "-o", library, "./testdata/securitykey").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("the security key can't be built, which takes gcc: %w\n%s", err, out)
	}
	return library, nil
})

// sshKey is `sshkey NAME…`: it makes keys of those names, without a passphrase.
func sshKey(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, len(args), "sshkey NAME…")
	for _, name := range args {
		ts.Check(ts.Exec("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", ts.MkAbs(name)))
	}
}

// sshAgent is `sshagent`: it starts an empty ssh-agent and sets SSH_AUTH_SOCK.
func sshAgent(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 0, "sshagent")
	dir, err := os.MkdirTemp("", "agent-*") // a socket's path must be short
	ts.Check(err)
	ts.Defer(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "socket")
	agent := exec.Command("ssh-agent", "-D", "-P", "*", "-a", socket)
	ts.Check(agent.Start())
	ts.Defer(func() { agent.Process.Kill(); agent.Wait() })
	patiently(ts, func() bool { _, err := os.Stat(socket); return err == nil }, func() string { return "the ssh-agent doesn't come up" })
	ts.Setenv("SSH_AUTH_SOCK", socket)
}
