package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/backsoon/backsoon/internal/authority"
	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/postgrestest"
	"github.com/backsoon/backsoon/notify/webhook"
	"github.com/backsoon/backsoon/templates"
)

// bench is a whole shop on one machine: a site's folder, a real ledger, a real
// mail server and real receivers, with the time in the test's hand.
type bench struct {
	t       testing.TB
	dir     string
	place   string // of its watcher
	w       *Watcher
	l       *ledger.Ledger
	web     *receiver
	mailbox *mailbox
	mu      sync.Mutex
	now     time.Time
	pages   int
}

const benchSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var lisbon = func() *time.Location {
	l, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		panic(err)
	}
	return l
}()

// at reads a time in the shop's zone.
func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", s+":00"[:3*(2-strings.Count(s, ":"))], lisbon)
	if err != nil {
		panic(err)
	}
	return t
}

// newBench begins a shop at the given time. extra is added to its settings.
func newBench(t testing.TB, now, extra string) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), now: at(now), web: newReceiver(t), mailbox: newMailbox(t)}
	settings := fmt.Sprintf(`shop: {name: Harbour Books, url: "https://status.example/", timezone: Europe/Lisbon}
storefronts:
  web: {name: Online shop, webhooks: [{url: "%s/hook", secret: %s}]}
  market: {name: Market}
email: {from: Harbour Books <closures@harbourbooks.example>, server: "smtp://%s"}
alerts: [owner@harbourbooks.example]
public_url: https://closures.example/
%s`, b.web.URL, benchSecret, b.mailbox.addr, extra)
	if strings.Contains(t.Name(), "PostgreSQL") { // see postgres_test.go
		settings += "database: " + postgrestest.New(t) + "\n"
	}
	b.write("../../backsoon.yaml", settings)
	b.start()
	return b
}

// start begins a watcher on the shop, as after a restart.
func (b *bench) start() {
	b.t.Helper()
	cfg, err := config.Load(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.l, err = ledger.Open(b.t.Context(), cfg.Database, true); err != nil {
		b.t.Fatal(err)
	}
	if err := b.l.SignWith(b.t.Context(), "status.example/log", logKey); err != nil {
		b.t.Fatal(err)
	}
	b.w = &Watcher{
		Config: cfg, Ledger: b.l, Theme: templates.FS(""), SiteKey: []byte("key"), Now: b.clock, Place: b.place,
		Log:   slog.New(slog.NewTextHandler(testLog{b.t}, nil)),
		Who:   func(string, []byte) ledger.By { return ledger.By{Name: "Ada", How: "system-user"} },
		Leave: func(a, _ string) string { return "https://closures.example/unsubscribe/" + a }, LeaveToken: func(a string) string { return "token-of-" + a },
		Confirm: func(p ledger.Pending) string {
			return "https://closures.example/confirm/" + p.Email + strings.Join(p.Storefronts, "+")
		},
		Build: func(Snapshot) error { b.pages++; return nil },
	}
	b.w.Checkpoint = b.checkpoint
	if len(cfg.Publishers) > 0 {
		b.w.Judge = func(p Publication, now time.Time) ([]ledger.By, error) {
			return authority.Judge(cfg, authority.Publication(p), now)
		}
	}
	if err := b.w.Init(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	w, l := b.w, b.l
	b.t.Cleanup(func() { w.Close(); l.Close() })
}

// logKey signs the log of every bench, across restarts.
var logKey = checkpoint.NewKey()

type testLog struct{ testing.TB }

func (l testLog) Write(p []byte) (int, error) { l.Logf("%s", bytes.TrimSpace(p)); return len(p), nil }

// checkpoint is the newest that the ledger has.
func (b *bench) checkpoint(ctx context.Context) (signed string) {
	err := b.l.View(ctx, func(tx *ledger.Tx) (err error) {
		signed, _, err = tx.Checkpoint()
		return err
	})
	if err != nil {
		b.t.Error(err)
	}
	return signed
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) set(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = t
}

// write saves a file in the notices' folder as most editors do not: at once.
func (b *bench) write(name, text string) {
	b.t.Helper()
	path := filepath.Join(b.dir, notice.Folder, name)
	if err := os.MkdirAll(filepath.Join(b.dir, notice.Folder), 0o755); err != nil {
		b.t.Fatal(err)
	}
	tmp := path + "~"
	if err := os.WriteFile(tmp, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) remove(name string) {
	b.t.Helper()
	if err := os.Remove(filepath.Join(b.dir, notice.Folder, name)); err != nil {
		b.t.Fatal(err)
	}
}

// settle does everything that is due at the present moment, files that have to
// be quiet first included: it lets three seconds pass.
func (b *bench) settle() {
	b.t.Helper()
	for range 4 {
		b.do()
		b.set(b.clock().Add(time.Second))
	}
}

// do does everything that is due at the present moment.
func (b *bench) do() (next time.Time) {
	b.t.Helper()
	now := b.clock()
	next, err := b.w.Reconcile(b.t.Context(), now)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.w.SendWebhooks(b.t.Context(), now); err != nil {
		b.t.Fatal(err)
	}
	b.w.sending.Wait()
	for more := true; more; {
		if more, err = b.w.SendMail(b.t.Context(), now); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := b.w.Pages(now); err != nil {
		b.t.Fatal(err)
	}
	return next
}

// until lets time pass up to the moment, stopping wherever the watcher asked to
// be woken.
func (b *bench) until(moment string) { b.pass(at(moment), 365*24*time.Hour) }

// minutely lets time pass up to the moment, stopping once a minute as well.
func (b *bench) minutely(moment string) { b.pass(at(moment), time.Minute) }

func (b *bench) pass(end time.Time, step time.Duration) {
	b.t.Helper()
	for b.clock().Before(end) {
		next := soonest(b.do(), b.clock().Add(step))
		if next.After(end) || !next.After(b.clock()) {
			next = end
		}
		b.set(next)
	}
	b.settle()
}

func (b *bench) subscribe(addresses ...string) {
	b.t.Helper()
	err := b.l.Update(b.t.Context(), func(tx *ledger.Tx) error {
		for _, a := range addresses {
			address, fronts, _ := strings.Cut(a, " ")
			sub := ledger.Subscriber{Email: address, Storefronts: strings.Fields(fronts), Confirmed: b.clock()}
			if _, err := tx.AddSubscriber(sub); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// events gives the audit log as "event notice-or-storefront", but for the
// events that are left out.
func (b *bench) events(leaveOut ...string) []string {
	b.t.Helper()
	var lines []string
	for _, e := range b.log() {
		if slices.ContainsFunc(leaveOut, func(p string) bool { return strings.HasPrefix(e.Event, p) }) {
			continue
		}
		line := e.Event
		for _, s := range []string{e.Storefront, e.Notice, e.Kind} {
			if s != "" {
				line += " " + s
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func (b *bench) log() (entries []ledger.Entry) {
	b.t.Helper()
	err := b.l.View(b.t.Context(), func(tx *ledger.Tx) (err error) {
		entries, err = tx.Entries(0, 100_000)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return entries
}

func (b *bench) front(id string) (f ledger.Storefront) {
	b.t.Helper()
	err := b.l.View(b.t.Context(), func(tx *ledger.Tx) error {
		fronts, err := tx.Storefronts()
		f = fronts[id]
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

func equal(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got  %s\n want %s", what, strings.Join(got, "\n      "), strings.Join(want, "\n      "))
	}
}

// receiver is a storefront that checks every webhook with the independent
// library and answers as it is told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []webhook.Payload
	ids    []string
	answer func(n int) int // status for the n-th request, from 0; 0: hang up
	asked  chan struct{}   // gets one for each request, while there is room
}

func newReceiver(t testing.TB) *receiver {
	check, err := standardwebhooks.NewWebhook(benchSecret)
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{asked: make(chan struct{}, 1)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		if err := check.VerifyIgnoringTimestamp(body, req.Header); err != nil {
			t.Errorf("signature: %v", err)
		}
		var p webhook.Payload
		if err := json.Unmarshal(body, &p); err != nil {
			t.Errorf("body: %v", err)
		}
		r.mu.Lock()
		n := len(r.got)
		r.got, r.ids = append(r.got, p), append(r.ids, req.Header.Get("webhook-id"))
		answer := r.answer
		r.mu.Unlock()
		nudge(r.asked)
		status := 204
		if answer != nil {
			status = answer(n)
		}
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
	}))
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answering(f func(n int) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// payloads gives what came since the last call, and forgets it.
func (r *receiver) payloads() (got []webhook.Payload, ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	got, ids = r.got, r.ids
	r.got, r.ids = nil, nil
	return got, ids
}

// types gives what came since the last call as "type until".
func (r *receiver) types() (types []string) {
	got, _ := r.payloads()
	for _, p := range got {
		until := ""
		if p.Data.Until != nil {
			until = " " + p.Data.Until.Format(time.RFC3339)
		}
		types = append(types, p.Type+until)
	}
	return types
}

// mailbox is a mail server that keeps what it is sent.
type mailbox struct {
	addr string
	mu   sync.Mutex
	got  []received
	rcpt func(to string) error // nil: takes everybody

	// What answers MAIL, AUTH, and the final dot; the last is told once the mail is
	// taken. nil: all is well, and no AUTH is offered. Set before mail goes out.
	mail, auth func() error
	data       func() error
	taken      func(c *smtp.Conn, to string)
}

type received struct {
	to      string
	header  mail.Header
	body    string
	subject string
	from    string // the envelope's sender
	size    int    // of the whole, in bytes
}

func newMailbox(t testing.TB) *mailbox {
	m := &mailbox{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.addr = l.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		if m.auth != nil {
			return &authSession{smtpSession{m: m, c: c}}, nil
		}
		return &smtpSession{m: m, c: c}, nil
	}))
	server.AllowInsecureAuth = true
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return m
}

type smtpSession struct {
	m        *mailbox
	c        *smtp.Conn
	from, to string
}

func (s *smtpSession) Reset()        {}
func (s *smtpSession) Logout() error { return nil }

func (s *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return ask(s.m.mail)
}

// authSession is one with a server that wants a password.
type authSession struct{ smtpSession }

func (s *authSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, _ string) error { return ask(s.m.auth) }), nil
}

func ask(f func() error) error {
	if f == nil {
		return nil
	}
	return f()
}

func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	s.m.mu.Lock()
	rcpt := s.m.rcpt
	s.m.mu.Unlock()
	if rcpt != nil {
		return rcpt(to)
	}
	return nil
}

func (s *smtpSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	body, _ := io.ReadAll(msg.Body)
	if err := ask(s.m.data); err != nil {
		return err
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.m.got = append(s.m.got, received{s.to, msg.Header, string(body), msg.Header.Get("Subject"), s.from, len(raw)})
	if s.m.taken != nil {
		s.m.taken(s.c, s.to)
	}
	return nil
}

// letters gives what came since the last call as "address kind", sorted, with
// alerts as "address: subject"; and forgets it.
func (m *mailbox) letters() []string {
	var lines []string
	for _, r := range m.take() {
		line := r.to + ": " + r.subject
		if id := r.header.Get("Feedback-ID"); id != "" {
			kind, _, _ := strings.Cut(id, ":")
			line = r.to + " " + kind
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func (m *mailbox) take() []received {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.got
	m.got = nil
	return got
}
