package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/demo"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/subscribe"
)

// besieged is `backsoon watch` as a process of its own, with a mailbox that takes
// what it sends.
type besieged struct {
	dir     string
	url     string // where customers reach it
	pid     int
	mailbox *demo.Mailbox
	browser *http.Client
}

func besiege(t *testing.T) *besieged {
	t.Helper()
	b := &besieged{dir: t.TempDir(), mailbox: demo.NewMailbox()}
	smtp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go b.mailbox.ServeSMTP(smtp)
	t.Cleanup(b.mailbox.Close)
	write(t, filepath.Join(b.dir, "backsoon.yaml"), fmt.Sprintf(`shop: {name: Harbour Books, url: "https://status.example/", timezone: Europe/Lisbon}
storefronts: {web: {name: Online shop}}
email: {from: closures@harbourbooks.example, server: "smtp://%s", settle: 0s}
listen: 127.0.0.1:0
public_url: https://closures.example/
trusted_proxies: [127.0.0.1]
`, smtp.Addr()))
	write(t, filepath.Join(b.dir, "known.csv"), "email\nada@example.org\n")
	if out, err := exec.Command("backsoon", "--site", b.dir, "subscribers", "import", filepath.Join(b.dir, "known.csv")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b.watch(t)
	transport := &http.Transport{MaxConnsPerHost: 400, MaxIdleConnsPerHost: 400}
	t.Cleanup(transport.CloseIdleConnections)
	b.browser = &http.Client{Transport: transport, Timeout: 2 * time.Minute}
	return b
}

var listens = regexp.MustCompile(`listen=(\S+)`)

func (b *besieged) watch(t *testing.T) {
	t.Helper()
	cmd := exec.Command("backsoon", "--site", b.dir, "watch")
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.pid = cmd.Process.Pid
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the watcher: %v", err)
		}
	})
	for lines := bufio.NewScanner(log); b.url == "" && lines.Scan(); {
		if m := listens.FindStringSubmatch(lines.Text()); m != nil {
			b.url = "http://" + m[1] + "/"
		}
	}
	go io.Copy(io.Discard, log)
}

// memory is the most that the process has ever had in memory, in bytes.
func (b *besieged) memory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no VmHWM in\n%s", status)
	}
	kB, _ := strconv.Atoi(string(m[1]))
	return kB << 10
}

// ask asks for mail as somebody at that address on the net.
func (b *besieged) ask(from, address string) (status int, err error) {
	form := url.Values{"address": {address}}
	req, err := http.NewRequest("POST", b.url+"subscribe", strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Forwarded-For", from)
	res, err := b.browser.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

// mailsTo counts the mails to an address, or to all where it is empty.
func (b *besieged) mailsTo(address string) (n int) {
	for _, m := range b.mailbox.Mails() {
		if address == "" || m.To == address {
			n++
		}
	}
	return n
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func eventuallyTrue(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("this never came: %s", what)
		}
	}
}

// roomForStrangers is how much memory they may bring a watcher to take, in bytes:
// more under the race detector, which takes it itself.
func roomForStrangers() int {
	build, _ := debug.ReadBuildInfo()
	if slices.Contains(build.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return 960 << 20
	}
	return 96 << 20
}

// TestFlood: ten thousand requests at once, from ten thousand clients, half of
// them for one victim. The program stays small, the victim gets one mail, and a
// subscriber hears of the closure meanwhile.
func TestFlood(t *testing.T) {
	b := besiege(t)
	if status, err := b.ask("192.0.2.1", "first@example.org"); status != 200 || err != nil {
		t.Fatal(status, err)
	}
	before, begun := b.memory(t), time.Now()
	var statuses sync.Map
	var flood sync.WaitGroup
	for i := range 10_000 {
		flood.Go(func() {
			address := "victim@example.net"
			if i%2 == 1 {
				address = fmt.Sprintf("stranger%d@example.com", i)
			}
			status, err := b.ask(fmt.Sprintf("10.%d.%d.1", i>>8, i&255), address)
			if err != nil {
				t.Error(err)
			}
			n, _ := statuses.LoadOrStore(status, new(atomic.Int64))
			n.(*atomic.Int64).Add(1)
		})
		if i == 5000 {
			write(t, filepath.Join(b.dir, "content", "closures", "flood.md"), "---\ntitle: Flood\ncloses: 2020-01-01 09:00\n---\nWater everywhere.\n")
		}
	}
	eventuallyTrue(t, "the mail to a subscriber", func() bool { return b.mailsTo("ada@example.org") > 0 })
	flood.Wait()
	answered := map[int]int64{}
	statuses.Range(func(status, n any) bool { answered[status.(int)] = n.(*atomic.Int64).Load(); return true })
	took := time.Since(begun)
	t.Logf("answered %v within %v; memory grew from %d to %d MB", answered, took, before>>20, b.memory(t)>>20)
	if answered[200]+answered[429]+answered[503] != 10_000 || answered[200] == 0 {
		t.Errorf("answered %v", answered)
	}
	if most := 1000 + int64(took.Seconds()) + 1; answered[200] > most {
		t.Errorf("%d were taken, %d at most are allowed", answered[200], most)
	}
	if grown := b.memory(t) - before; grown > roomForStrangers() {
		t.Errorf("it took %d MB more", grown>>20)
	}
	b.checkVictim(t, answered[200])
}

// checkVictim waits for the questions, of which the victim gets one.
func (b *besieged) checkVictim(t *testing.T, taken int64) {
	t.Helper()
	l, err := ledger.Open(t.Context(), filepath.Join(b.dir, "data", "backsoon.db"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var owed ledger.Owed
	eventuallyTrue(t, "the end of the questions", func() bool {
		err := l.View(t.Context(), func(tx *ledger.Tx) (err error) {
			owed, err = tx.Owed()
			return err
		})
		return err == nil && owed.Mail == 0 && b.mailsTo("victim@example.net") > 0
	})
	if n := b.mailsTo("victim@example.net"); n != 1 {
		t.Errorf("the victim has %d mails", n)
	}
	if n := int64(b.mailsTo("")); n > taken+2 {
		t.Errorf("%d mails of %d requests", n, taken)
	}
}

// TestLargeBodies and headers are read no further than is needed.
func TestLargeBodies(t *testing.T) {
	b := besiege(t)
	before := b.memory(t)
	body := "address=ada@example.org&x=" + strings.Repeat("x", 1<<20)
	var all sync.WaitGroup
	for range 300 {
		all.Go(func() {
			res, err := b.browser.Post(b.url+"subscribe", "application/x-www-form-urlencoded", strings.NewReader(body))
			if err != nil { // hung up on while it was still sending
				return
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("answered %d", res.StatusCode)
			}
		})
		all.Go(func() {
			req, _ := http.NewRequest("GET", b.url, nil)
			req.Header.Set("X-Large", body)
			res, err := b.browser.Do(req)
			if err != nil {
				return
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("answered %d", res.StatusCode)
			}
		})
	}
	all.Wait()
	t.Logf("memory grew from %d to %d MB", before>>20, b.memory(t)>>20)
	if grown := b.memory(t) - before; grown > roomForStrangers() {
		t.Errorf("it took %d MB more", grown>>20)
	}
	if n := b.mailsTo(""); n > 0 {
		t.Errorf("%d mails", n)
	}
}

// TestSlowClients: more of them than there are connections, who send no more, or
// read nothing of thousands of answers. They are hung up on, and whoever came
// after them is served.
func TestSlowClients(t *testing.T) {
	b := besiege(t)
	before := b.memory(t)
	host := strings.TrimSuffix(strings.TrimPrefix(b.url, "http://"), "/")
	const asking = "POST /subscribe HTTP/1.1\r\nHost: x\r\n"
	slow := []string{asking, asking + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\naddress=",
		strings.Repeat("GET /x HTTP/1.1\r\nHost: x\r\n\r\n", 20_000)}
	for i := range maxConnections + 100 {
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		kind := i % 2
		if i%50 == 0 {
			kind = 2
		}
		go io.WriteString(c, slow[kind]) // ends when somebody hangs up
	}
	begun := time.Now()
	if status, err := b.ask("192.0.2.1", "patient@example.org"); status != 200 || err != nil {
		t.Errorf("answered %d, %v", status, err)
	}
	took := time.Since(begun)
	t.Logf("answered within %v; memory grew from %d to %d MB", took, before>>20, b.memory(t)>>20)
	if took > 3*slowest {
		t.Errorf("it took %v", took)
	}
	if grown := b.memory(t) - before; grown > roomForStrangers() {
		t.Errorf("it took %d MB more", grown>>20)
	}
	eventuallyTrue(t, "the question", func() bool { return b.mailsTo("patient@example.org") == 1 })
}

// counter is a desk with a real ledger behind it.
func counter(t *testing.T) *customerDesk {
	t.Helper()
	s := &site{dir: t.TempDir()}
	write(t, filepath.Join(s.dir, "backsoon.yaml"), `shop: {name: Harbour Books, url: "https://status.example/", timezone: Europe/Lisbon}
storefronts: {web: {name: Online shop}}
email: {from: closures@harbourbooks.example, server: "smtp://127.0.0.1:2525"}
listen: 127.0.0.1:0
public_url: https://closures.example/
trusted_proxies: [192.0.2.1]
`)
	if err := s.load(); err != nil {
		t.Fatal(err)
	}
	l, err := s.openToWrite(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	keys, err := s.keys()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	return newCustomerDesk(s, s.watcher(l, keys, log), keys)
}

// TestSameTime: nobody learns from the time of an answer, nor from its words, what
// is known of an address. The ledger is written to meanwhile, as it would be.
func TestSameTime(t *testing.T) {
	d := counter(t)
	states := []string{"known@example.org", "left@example.org", "suppressed@example.org", "forgotten@example.org", "unknown@example.org"}
	d.acquaint(t, states)
	ctx, end := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	writing.Go(func() { d.inbox.Empty(ctx, slog.New(slog.DiscardHandler), d.write) })
	same := false
	for range 3 { // other programs disturb now and then, a difference would show each time
		quartiles, pages := timeAnswers(d.handler(slog.New(slog.DiscardHandler)), states)
		t.Logf("%v for %v", quartiles, states)
		if pages != 1 {
			t.Errorf("%d different answers", pages)
		}
		// A look into the ledger takes about half as long as an answer does.
		fastest, slowest := slices.Min(quartiles), slices.Max(quartiles)
		if same = slowest <= fastest+fastest/4; same {
			break
		}
	}
	if !same {
		t.Error("the answers take different times")
	}
	end()
	writing.Wait()
	due, err := d.due(t)
	if want := []string{"known@example.org", "left@example.org", "unknown@example.org"}; !slices.Equal(due, want) || err != nil {
		t.Errorf("asked: %q, %v", due, err)
	}
}

// acquaint makes the first address known, the second one that has left, the third
// suppressed, and the fourth suppressed and forgotten.
func (d *customerDesk) acquaint(t *testing.T, addresses []string) {
	t.Helper()
	err := d.watcher.Ledger.Update(t.Context(), func(tx *ledger.Tx) error {
		for _, address := range addresses[:4] {
			if _, err := tx.AddSubscriber(ledger.Subscriber{Email: address, Confirmed: time.Now()}); err != nil {
				return err
			}
		}
		_, _, left := tx.Forget(addresses[1], "")
		suppressed := errors.Join(tx.Suppress(3, "550"), tx.Suppress(4, "550"))
		_, _, forgotten := tx.Forget(addresses[3], d.keys.Seals(addresses[3])[0])
		return errors.Join(left, suppressed, forgotten)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// timeAnswers asks for each address by turns, and gives the first quartile of the
// times that it takes for each, and how many different answers there are.
func timeAnswers(h *subscribe.Handler, addresses []string) (quartiles []time.Duration, pages int) {
	const rounds = 150
	times, different := make([][]time.Duration, len(addresses)), map[string]bool{}
	for round := range rounds {
		h.Limits = subscribe.NewLimits()
		for n := range addresses {
			i := (n + round) % len(addresses) // none is always the first
			r := httptest.NewRequest("POST", "/subscribe", strings.NewReader(url.Values{"address": {addresses[i]}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.0.%d.%d", round, i))
			w := httptest.NewRecorder()
			begun := time.Now()
			h.ServeHTTP(w, r)
			times[i] = append(times[i], time.Since(begun))
			different[fmt.Sprint(w.Code, w.Header(), w.Body)] = true
		}
	}
	for i := range addresses {
		slices.Sort(times[i])
		quartiles = append(quartiles, times[i][rounds/4])
	}
	return quartiles, len(different)
}

// due are the addresses that are asked whether they want mail.
func (d *customerDesk) due(t *testing.T) (addresses []string, err error) {
	err = d.watcher.Ledger.View(t.Context(), func(tx *ledger.Tx) error {
		due, err := tx.DuePending(time.Now(), 10)
		for _, p := range due {
			addresses = append(addresses, p.Email)
		}
		slices.Sort(addresses)
		return err
	})
	return addresses, err
}
