//go:build receivers

package receivers

import (
	"os/exec"
	"testing"
)

// These need node and PHP: apt-get install nodejs php-cli

func TestJavaScript(t *testing.T) {
	behaves(t, "javascript/receiver.mjs", func(string) *exec.Cmd { return exec.Command("node", "javascript/receiver.mjs") })
}

func TestPHP(t *testing.T) {
	behaves(t, "php/receiver.php", func(address string) *exec.Cmd { return exec.Command("php", "-q", "-S", address, "php/receiver.php") })
}
