package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSystemd runs the program as a unit of Type=notify with a watchdog does.
func TestSystemd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop")
	if out, err := exec.Command("backsoon", "init", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	cmd := exec.Command("backsoon", "--site", dir, "watch")
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=600000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	for _, state := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
		hears(t, systemd, state)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hears(t, systemd, "STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// hears waits for the watcher to say the state.
func hears(t *testing.T, systemd *net.UnixConn, state string) {
	t.Helper()
	if err := systemd.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for message := make([]byte, 100); ; {
		n, err := systemd.Read(message)
		if err != nil {
			t.Fatalf("it never said %s: %v", state, err)
		}
		if strings.TrimSpace(string(message[:n])) == state {
			return
		}
	}
}
