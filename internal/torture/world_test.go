package torture

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

var long = flag.Bool("long", false, "the long form of each test: make torture")

// backsoon is the program, built once for all tests.
var backsoon string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "torture-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		backsoon = filepath.Join(dir, "backsoon")
		if out, err := exec.Command("go", "build", "-o", backsoon, "../../cmd/backsoon").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// world is a shop with several storefronts, their checkouts and its customers'
// mail server.
type world struct {
	t      *testing.T
	dir    string
	fronts []*checkout
	mail   *mailServer
}

// newWorld is a world of so many storefronts, each with so many subscribers of
// its own. settings are added to backsoon.yaml.
func newWorld(t *testing.T, fronts, subscribers int, settings string) *world {
	t.Helper()
	return newWorldBehind(t, fronts, subscribers, settings, func(c *checkout) string { return c.URL })
}

// newWorldBehind has the webhooks go to the addresses that door gives.
func newWorldBehind(t *testing.T, fronts, subscribers int, settings string, door func(*checkout) string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), mail: newMailServer(t)}
	yaml := "shop: {name: Harbour Books, url: \"https://status.example/\", timezone: Europe/Lisbon}\nstorefronts:\n"
	list := "email,storefronts\n"
	for i := range fronts {
		c := newCheckout(t)
		w.fronts = append(w.fronts, c)
		yaml += fmt.Sprintf("  %s: {name: Shop %d, webhooks: [{url: %q, secret: %s}]}\n", front(i), i, door(c), secret)
		for j := range subscribers {
			list += fmt.Sprintf("%s,%s\n", subscriber(i, j), front(i))
		}
	}
	yaml += fmt.Sprintf("email: {from: Harbour Books <closures@harbour.example>, server: \"smtp://%s\", settle: 0s}\n", w.mail.addr)
	w.write("backsoon.yaml", yaml+settings)
	if err := os.MkdirAll(filepath.Join(w.dir, "content", "closures"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.run("watch", "--once") // begins the ledger
	if subscribers > 0 {
		w.write("list.csv", list)
		w.run("subscribers", "import", filepath.Join(w.dir, "list.csv"))
	}
	return w
}

func front(i int) string         { return fmt.Sprintf("shop%d", i) }
func subscriber(i, j int) string { return fmt.Sprintf("reader%d@%s.example", j, front(i)) }

// write puts a file in place in one step, as rsync and careful editors do.
func (w *world) write(name, text string) {
	w.t.Helper()
	w.aside(name, text)
	w.rename(name)
}

// aside writes a file beside its place, and rename puts it there.
func (w *world) aside(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name)+"~", []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rename(name string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.Rename(path+"~", path); err != nil {
		w.t.Fatal(err)
	}
}

// notice saves a notice about one storefront, with more lines of front matter.
func (w *world) notice(slug, front string, lines ...string) {
	w.t.Helper()
	w.write("content/closures/"+slug+".md", noticeText(slug, front, lines...))
}

func noticeText(slug, front string, lines ...string) string {
	return fmt.Sprintf("---\ntitle: Closed, says %s\nstorefronts: [%s]\n%s\n---\nWe are back soon.\n", slug, front, strings.Join(lines, "\n"))
}

// run has a command done, and gives its standard output.
func (w *world) run(args ...string) []byte {
	w.t.Helper()
	out, err := w.try(args...)
	if err != nil {
		w.t.Fatalf("backsoon %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (w *world) try(args ...string) ([]byte, error) {
	cmd := exec.Command(backsoon, append([]string{"--site", w.dir}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%w\n%s", err, errs.Bytes())
	}
	return out, nil
}

// process is the program at work.
type process struct {
	*exec.Cmd
	t    *testing.T
	out  *said
	done chan struct{}
}

// said is what a process has said so far.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// watches waits until the watcher is at work, or has ended.
func (p *process) watches() {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); !strings.Contains(p.out.String(), "msg=watching"); time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.done:
			p.t.Fatalf("it ended by itself:\n%s", p.out)
		default:
		}
		if time.Now().After(end) {
			p.t.Fatalf("it does not watch:\n%s", p.out)
		}
	}
}

func (w *world) start(args ...string) *process {
	return w.startWith(nil, args...)
}

// startWith starts the program below another one, such as strace.
func (w *world) startWith(below []string, args ...string) *process {
	w.t.Helper()
	line := append(append(below, backsoon, "--site", w.dir), args...)
	p := &process{exec.Command(line[0], line[1:]...), w.t, &said{}, make(chan struct{})}
	p.Stdout, p.Stderr = p.out, p.out
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { p.Wait(); close(p.done) }()
	w.t.Cleanup(func() { p.kill() })
	return p
}

// tell shows what the program said, where the test failed.
func (p *process) tell() {
	if p.t.Failed() {
		p.t.Log(p.out)
	}
}

// kill ends the program without a word.
func (p *process) kill() {
	_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL) // it may be gone
	<-p.done
}

// terminate stops the program as a service manager does.
func (p *process) terminate() {
	p.t.Helper()
	began := time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Errorf("it was gone already: %v\n%s", err, p.out)
	}
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		p.t.Errorf("it still runs %v after SIGTERM", time.Since(began))
		p.kill()
	}
	if code := p.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("after SIGTERM: exit %d\n%s", code, p.out)
	}
}

// settle has everything done that is owed. Each round is one attempt at all of
// it; what could not be told from an answer that got lost is sent once more, 30 s
// later.
func (w *world) settle() {
	w.t.Helper()
	var err error
	patience := 90 * time.Second
	if *long { // which has hundreds of letters to catch up with
		patience = 15 * time.Minute
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Second) {
		if _, err = w.try("watch", "--once"); err == nil {
			return
		}
	}
	w.t.Fatalf("there is no end to what is owed: %v", err)
}

// log is the whole audit log.
func (w *world) log() (entries []ledger.Entry) {
	w.t.Helper()
	lines := json.NewDecoder(bytes.NewReader(w.run("log", "--json")))
	for lines.More() {
		var e ledger.Entry
		if err := lines.Decode(&e); err != nil {
			w.t.Fatal(err)
		}
		if e.Index != int64(len(entries)) {
			w.t.Fatalf("entry %d of the log has index %d", len(entries), e.Index)
		}
		entries = append(entries, e)
	}
	return entries
}

// state is a storefront as `status --json` has it.
type state struct {
	State    string     `json:"state"`
	Checkout string     `json:"checkout"`
	Revision int64      `json:"revision"`
	Until    *time.Time `json:"until"`
	Webhooks []struct {
		Acknowledged int64 `json:"acknowledged"`
	} `json:"webhooks"`
}

type status struct {
	Storefronts map[string]state `json:"storefronts"`
	Owed        struct {
		Webhooks int `json:"webhooks"`
		Mail     int `json:"mail"`
	} `json:"owed"`
}

func (w *world) status() (s status) {
	w.t.Helper()
	if err := json.Unmarshal(w.run("status", "--json"), &s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// within waits until the condition holds.
func (w *world) within(d time.Duration, what string, holds func() bool) {
	w.t.Helper()
	for end := time.Now().Add(d); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("not within %v: %s", d, what)
		}
	}
}

// public is what public/status.json says of the first storefront's checkout.
func (w *world) public() string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, "public", "status.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	var s status
	if err := json.Unmarshal(text, &s); err != nil {
		w.t.Fatalf("public/status.json: %v", err)
	}
	return s.Storefronts[front(0)].Checkout
}

// traced tells whether a tracer has all of the process's threads.
func traced(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err == nil && strings.Contains(string(text), "TracerPid:\t0\n") {
			return false
		}
	}
	return len(threads) > 0
}
