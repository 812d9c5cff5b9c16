package main

import (
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

func init() {
	scriptCommands["sshkey"] = sshKey
	scriptCommands["sshagent"] = sshAgent
}

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
	agent := exec.Command("ssh-agent", "-D", "-a", socket)
	ts.Check(agent.Start())
	ts.Defer(func() { agent.Process.Kill(); agent.Wait() })
	patiently(ts, func() bool { _, err := os.Stat(socket); return err == nil }, func() string { return "the ssh-agent doesn't come up" })
	ts.Setenv("SSH_AUTH_SOCK", socket)
}
