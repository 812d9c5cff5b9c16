package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/postgrestest"
)

// BenchmarkFanOut closes a shop that has 1,000,000 subscribers, with the program
// itself, on both databases: change-ms is the watcher's whole round in which the
// change was written, expand-s the time until every letter is written down, with
// the sending beside it, MB the most memory that the program held by then.
//
//	go test ./cmd/backsoon -run '^$' -bench FanOut -benchtime 1x -timeout 20m
func BenchmarkFanOut(b *testing.B) {
	for _, on := range databases {
		b.Run(on.name, func(b *testing.B) {
			for b.Loop() {
				newFanOut(b, "database: "+strconv.Quote(on.database(b)), sink(b), 4, 1_000_000).measure()
			}
			b.ReportMetric(0, "ns/op") // says nothing
		})
	}
}

// databases are those that a ledger may be in.
var databases = []struct {
	name     string
	database func(testing.TB) string
}{
	{"sqlite", func(testing.TB) string { return "data/backsoon.db" }},
	{"postgresql", func(t testing.TB) string { return postgrestest.New(t) }},
}

type fanOut struct {
	b     *testing.B
	dir   string
	admin string
	n     int
	story saying
}

// saying is what a program has said so far.
type saying struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *saying) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *saying) has(words string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), words)
}

// newFanOut is a shop with so many subscribers whose mail goes to the server over
// so many connections. settings are added to backsoon.yaml.
func newFanOut(b *testing.B, settings, server string, connections, subscribers int) *fanOut {
	b.Helper()
	f := &fanOut{b: b, dir: filepath.Join(b.TempDir(), "shop"), admin: freeAddress(b), n: subscribers}
	spend(b, "backsoon", "init", f.dir)
	f.write("backsoon.yaml", fmt.Sprintf("shop: {name: Harbour Books, url: \"https://status.example/\", timezone: Europe/Lisbon}\nstorefronts:\n  web: {name: Online shop}\n"+
		"email: {from: Harbour Books <closures@harbour.example>, server: \"smtp://%s\", connections: %d, settle: 3s}\nadmin: %s\n%s\n",
		server, connections, f.admin, settings))
	spend(b, "backsoon", "--site", f.dir, "watch", "--once")
	spend(b, "backsoon", "--site", f.dir, "subscribers", "import", f.list(subscribers))
	return f
}

// list is a file with so many readers, in no order.
func (f *fanOut) list(n int) (path string) {
	f.b.Helper()
	list, err := os.Create(filepath.Join(f.dir, "list.csv"))
	if err != nil {
		f.b.Fatal(err)
	}
	defer list.Close()
	w := bufio.NewWriter(list)
	fmt.Fprintln(w, "email,storefronts")
	for i := range uint32(n) {
		fmt.Fprintf(w, "%08x.reader%d@example.com,web\n", i*2654435761, i)
	}
	if err := w.Flush(); err != nil {
		f.b.Fatal(err)
	}
	return list.Name()
}

func (f *fanOut) write(name, text string) {
	f.b.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.WriteFile(path+"~", []byte(text), 0o644); err != nil {
		f.b.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		f.b.Fatal(err)
	}
}

// watch starts the watcher, and gives how it ends.
func (f *fanOut) watch() (pid int, end func()) {
	f.b.Helper()
	watch := exec.Command("backsoon", "--site", f.dir, "watch")
	watch.Stdout, watch.Stderr = &f.story, &f.story
	if err := watch.Start(); err != nil {
		f.b.Fatal(err)
	}
	f.until("the watcher watches", func() bool { return f.metric("backsoon_reconcile_seconds_count") > 0 })
	return watch.Process.Pid, func() { watch.Process.Kill(); watch.Wait() }
}

func (f *fanOut) measure() {
	pid, end := f.watch()
	defer end()
	before := f.metric("backsoon_reconcile_seconds_sum")
	f.write("content/closures/flood.md", "---\ntitle: Flood\ncloses: 2026-11-20 10:00\n---\nWater.\n")
	f.until("the change is written", func() bool { return f.story.has(" accepted, published by ") })
	change := f.metric("backsoon_reconcile_seconds_sum") - before
	f.until("the mail has begun", func() bool { return f.story.has(fmt.Sprintf(" to %d subscribers", f.n)) })
	began := time.Now()
	f.until("every letter is written", f.expanded)
	f.b.ReportMetric(change*1000, "change-ms")
	f.b.ReportMetric(time.Since(began).Seconds(), "expand-s")
	f.b.ReportMetric(float64(peak(f.b, pid))/1024, "MB")
}

// expanded tells whether the mail's letters are all written down.
func (f *fanOut) expanded() (done bool) {
	f.b.Helper()
	s := &site{dir: f.dir}
	if err := s.load(); err != nil {
		f.b.Fatal(err)
	}
	l, err := s.openLedger(f.b.Context(), false)
	if err != nil {
		f.b.Fatal(err)
	}
	defer l.Close()
	err = l.View(f.b.Context(), func(tx *ledger.Tx) error {
		open, err := tx.OpenCampaigns()
		done = len(open) == 1 && !open[0].Fired.IsZero() && open[0].Cursor >= open[0].Last
		return err
	})
	if err != nil {
		f.b.Fatal(err)
	}
	return done
}

func (f *fanOut) until(what string, holds func() bool) {
	f.b.Helper()
	for end := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			f.b.Fatalf("not within two minutes: %s", what)
		}
	}
}

// metric sums up what the program counts under the name and with the labels.
func (f *fanOut) metric(name string, labels ...string) (sum float64) {
	res, err := http.Get("http://" + f.admin + "/metrics")
	if err != nil {
		return 0 // it isn't there yet
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.b.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^`+name+`(\{.*\})? (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		if value, err := strconv.ParseFloat(m[2], 64); err == nil && strings.Contains(m[1], strings.Join(labels, ",")) {
			sum += value
		}
	}
	return sum
}

// peak is the most memory that the process has held, in KiB.
func peak(b *testing.B, pid int) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return kib
}

func freeAddress(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// sink is a mail server that takes everything and keeps nothing.
func sink(b *testing.B) (address string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return drain{}, nil }))
	go server.Serve(l)
	b.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

type drain struct{}

func (drain) Mail(string, *smtp.MailOptions) error { return nil }
func (drain) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (drain) Data(r io.Reader) error               { _, err := io.Copy(io.Discard, r); return err }
func (drain) Reset()                               {}
func (drain) Logout() error                        { return nil }

// BenchmarkImport enters 1,000,000 subscribers with the program itself, on both
// databases, and takes turns beside it at writing: wait-ms is the longest that such a
// transaction took, MB the most memory that the program held.
//
//	go test ./cmd/backsoon -run '^$' -bench Import -benchtime 1x -timeout 20m
func BenchmarkImport(b *testing.B) {
	for _, on := range databases {
		b.Run(on.name, func(b *testing.B) {
			for b.Loop() {
				measureImport(b, "database: "+strconv.Quote(on.database(b)), 1_000_000)
			}
			b.ReportMetric(0, "ns/op") // says nothing
		})
	}
}

func measureImport(b *testing.B, settings string, n int) {
	f := newFanOut(b, settings, sink(b), 4, 0)
	list := f.list(n)
	ctx, done := context.WithCancel(b.Context())
	waited := make(chan time.Duration)
	go func() { waited <- f.writeBeside(ctx) }()
	began := time.Now()
	spent := spend(b, "backsoon", "--site", f.dir, "subscribers", "import", list)
	took := time.Since(began)
	done()
	b.ReportMetric(float64((<-waited).Milliseconds()), "wait-ms")
	b.ReportMetric(took.Seconds(), "s")
	b.ReportMetric(float64(spent.SysUsage().(*syscall.Rusage).Maxrss)/1024, "MB")
}

// writeBeside writes to the ledger again and again, as a watcher does, and gives the
// longest that it took.
func (f *fanOut) writeBeside(ctx context.Context) (longest time.Duration) {
	s := &site{dir: f.dir}
	if err := s.load(); err != nil {
		f.b.Error(err)
		return
	}
	l, err := s.openLedger(ctx, false)
	if err != nil {
		f.b.Error(err)
		return
	}
	defer l.Close()
	for ctx.Err() == nil {
		began := time.Now()
		if err := l.Update(context.Background(), func(tx *ledger.Tx) error { return tx.MakeDue(began) }); err != nil {
			f.b.Error(err)
		}
		longest = max(longest, time.Since(began))
		time.Sleep(10 * time.Millisecond)
	}
	return longest
}
