// Package receivers runs the receivers that the documentation shows, each as a
// shop would: a process of its own, real webhooks, a kill and a new start.
package receivers

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/notify/webhook"
)

func TestGo(t *testing.T) {
	program := filepath.Join(t.TempDir(), "receiver")
	if out, err := exec.Command("go", "build", "-o", program, "./go").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	behaves(t, "go/main.go", func(string) *exec.Cmd { return exec.Command(program) })
}

// receiver is one installation: its settings and, while it runs, its process.
type receiver struct {
	t       *testing.T
	command func(address string) *exec.Cmd
	address string
	secrets []string
	file    string
	process *exec.Cmd
	ended   chan struct{} // closed when the process is gone
}

// behaves runs a receiver through all that docs/receiver.md promises of it.
func behaves(t *testing.T, source string, command func(address string) *exec.Cmd) {
	t.Helper()
	if _, err := os.Stat(source); err != nil { // also tells the test cache what the outcome hangs on
		t.Fatal(err)
	}
	r := &receiver{t: t, command: command, address: freeAddress(t), file: filepath.Join(t.TempDir(), "checkout.json"),
		secrets: []string{webhook.NewSecret(), webhook.NewSecret()}}
	r.start()
	t.Cleanup(r.kill)
	r.checkout("before the first webhook", 200, "")

	r.refusesWhatIsNotAuthentic()
	r.sends("a test", webhook.TypeTest, "off", 1, 204)
	r.checkout("after a test", 200, "")
	r.sends("closing", webhook.TypeClosed, "off", 5, 204)
	r.checkout("after closing", 503, "a lantern & a broom")
	r.sends("an older opening", webhook.TypeOpened, "on", 4, 204)
	r.sends("an opening of the same revision", webhook.TypeOpened, "on", 5, 204)
	r.checkout("after late messages", 503, "")

	r.kill()
	r.start()
	r.checkout("after a restart", 503, "")
	r.sends("an older opening after a restart", webhook.TypeOpened, "on", 4, 204)
	r.checkout("after a restart and a late message", 503, "")

	r.secrets = r.secrets[1:] // the sender has dropped the first
	r.sends("opening", webhook.TypeOpened, "on", 1798135200123, 204)
	r.checkout("after opening", 200, "")

	r.kill()
	if err := os.WriteFile(r.file, []byte(`{"checkout":`), 0o600); err != nil {
		t.Fatal(err)
	}
	r.sellsNothingWithABrokenState()
}

func (r *receiver) refusesWhatIsNotAuthentic() {
	r.t.Helper()
	for what, request := range map[string]func() *http.Request{
		"another secret": func() *http.Request { return r.signed([]string{webhook.NewSecret()}, time.Now(), "off") },
		"an old message": func() *http.Request { return r.signed(r.secrets, time.Now().Add(-6*time.Minute), "off") },
		"a message from the future": func() *http.Request {
			return r.signed(r.secrets, time.Now().Add(6*time.Minute), "off")
		},
		"a changed id": func() *http.Request {
			req := r.signed(r.secrets, time.Now(), "off")
			req.Header.Set(webhook.HeaderID, "msg_2")
			return req
		},
		"no signature": func() *http.Request {
			req := r.signed(r.secrets, time.Now(), "off")
			req.Header.Del(webhook.HeaderSignature)
			return req
		},
		"a changed body": func() *http.Request {
			req := r.signed(r.secrets, time.Now(), "on")
			req.Body = r.signed(r.secrets, time.Now(), "off").Body
			req.ContentLength = -1
			return req
		},
	} {
		resp, err := http.DefaultClient.Do(request())
		if err != nil {
			r.t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			r.t.Errorf("%s: answered %d", what, resp.StatusCode)
		}
		r.checkout("after "+what, 200, "")
	}
}

func (r *receiver) signed(secrets []string, at time.Time, checkout string) *http.Request {
	r.t.Helper()
	body := payload(r.t, webhook.TypeClosed, checkout, 100)
	signatures, err := webhook.Sign(secrets, "msg_1", at, body)
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequest("POST", "http://"+r.address+"/hooks/closure", strings.NewReader(string(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set(webhook.HeaderID, "msg_1")
	req.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(webhook.HeaderSignature, signatures)
	return req
}

func payload(t *testing.T, kind, checkout string, revision int64) []byte {
	t.Helper()
	until := time.Now().Add(2 * time.Hour)
	body, err := json.Marshal(webhook.Payload{Type: kind, Timestamp: time.Now(), Data: webhook.Data{
		Storefront: "web", Checkout: checkout, Revision: revision, Until: &until, Message: "a lantern & a broom",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (r *receiver) sends(what, kind, checkout string, revision int64, want int) {
	r.t.Helper()
	e := webhook.Endpoint{URL: "http://" + r.address + "/hooks/closure", Secrets: r.secrets}
	o := webhook.NewClient().Send(r.t.Context(), e, fmt.Sprint("msg_", revision), time.Now(), payload(r.t, kind, checkout, revision))
	if o.Status != want {
		r.t.Errorf("%s: answered %d: %v", what, o.Status, o.Err)
	}
}

// checkout asks for the checkout's state; a closed one says when to come back.
func (r *receiver) checkout(when string, want int, text string) {
	r.t.Helper()
	resp, err := http.Get("http://" + r.address + "/checkout")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != want || !strings.Contains(string(body), text) {
		r.t.Errorf("%s: the checkout answers %d %q", when, resp.StatusCode, body)
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if want == http.StatusServiceUnavailable && (err != nil || seconds < 7000 || seconds > 7200) {
		r.t.Errorf("%s: Retry-After: %q", when, resp.Header.Get("Retry-After"))
	}
}

// sellsNothingWithABrokenState allows both: not to start, and to answer an error.
func (r *receiver) sellsNothingWithABrokenState() {
	r.t.Helper()
	if !r.startable() {
		return
	}
	resp, err := http.Get("http://" + r.address + "/checkout")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 500 {
		r.t.Errorf("with a broken state the checkout answers %d", resp.StatusCode)
	}
}

func (r *receiver) start() {
	r.t.Helper()
	if !r.startable() {
		r.t.Fatal("it does not listen")
	}
}

// startable starts the receiver and tells whether it came to listen.
func (r *receiver) startable() bool {
	r.t.Helper()
	r.process = r.command(r.address)
	r.process.Env = append(os.Environ(), "WEBHOOK_SECRET="+strings.Join(r.secrets, " "), "STATE_FILE="+r.file, "LISTEN="+r.address)
	if err := r.process.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.ended = make(chan struct{})
	go func() { r.process.Wait(); close(r.ended) }()
	for deadline := time.After(20 * time.Second); ; {
		if conn, err := net.Dial("tcp", r.address); err == nil {
			conn.Close()
			return true
		}
		select {
		case <-r.ended:
			return false
		case <-deadline:
			return false
		case <-time.After(10 * time.Millisecond): // another process: there is nothing to wait for but its socket
		}
	}
}

func (r *receiver) kill() {
	r.process.Process.Kill()
	<-r.ended
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
