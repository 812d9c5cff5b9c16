package main

import (
	"bytes"
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/rogpeppe/go-internal/testscript"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func init() {
	maps.Copy(scriptCommands, map[string]func(*testscript.TestScript, bool, []string){
		"shop":       shopCommand,
		"shop-says":  shopSays,
		"mailserver": mailserver,
		"mails":      mails,
		"eventually": eventually,
		"capture":    capture,
		"json":       lookIntoJSON,
		"visit":      visit,
		"complains":  complains,
		"database":   database,
		"tamper":     tamper,
	})
}

// neighbours are the systems that one script's shop works with.
type neighbours struct {
	shops map[string]*scriptShop
	mail  *scriptMail
}

type neighboursKey struct{}

// surround gives a script its neighbours; there are none at first.
func surround(env *testscript.Env) error {
	env.Values[neighboursKey{}] = &neighbours{shops: map[string]*scriptShop{}}
	env.Setenv("GORACE", "atexit_sleep_ms=0") // or every command takes a second longer under -race
	return nil
}

func around(ts *testscript.TestScript) *neighbours { return ts.Value(neighboursKey{}).(*neighbours) }

// words ends the script unless the command was given as it has to be.
func words(ts *testscript.TestScript, neg bool, args []string, least int, usage string) {
	if neg || len(args) < least {
		ts.Fatalf("write: %s", usage)
	}
}

// patiently asks until the answer is yes.
func patiently(ts *testscript.TestScript, ask func() bool, never func() string) {
	for end := time.Now().Add(patience); !ask(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("%s", never())
		}
	}
}

func pattern(ts *testscript.TestScript, text string) *regexp.Regexp {
	re, err := regexp.Compile("(?m)" + text)
	ts.Check(err)
	return re
}

// scriptShop is a storefront as docs/receiver.md asks for: it believes only what
// is signed, and obeys only what is newer.
type scriptShop struct {
	mu       sync.Mutex
	check    *standardwebhooks.Webhook
	answers  []int // the statuses to come; the last one stays
	received string
	obeys    string
	revision int64
	badly    string // what was wrong with a request, if anything ever was
}

const scriptSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// shopCommand is `shop NAME [STATUS…]`: it opens a storefront that answers so,
// 204 unless said otherwise, and sets NAME_URL, NAME_ADDR and NAME_SECRET. For
// one that is open it changes the answers.
func shopCommand(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 1, "shop NAME [STATUS…]")
	answers := []int{http.StatusNoContent}
	if len(args) > 1 {
		answers = nil
	}
	for _, text := range args[1:] {
		status, err := strconv.Atoi(text)
		ts.Check(err)
		answers = append(answers, status)
	}
	s := around(ts).shops[args[0]]
	if s == nil {
		s = openShop(ts, args[0])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = answers
}

func openShop(ts *testscript.TestScript, name string) *scriptShop {
	check, err := standardwebhooks.NewWebhook(scriptSecret)
	ts.Check(err)
	s := &scriptShop{check: check, received: "nothing", obeys: "nothing"}
	around(ts).shops[name] = s
	server := httptest.NewServer(s)
	ts.Defer(server.Close)
	prefix := strings.ToUpper(name)
	ts.Setenv(prefix+"_URL", server.URL)
	ts.Setenv(prefix+"_ADDR", server.Listener.Addr().String())
	ts.Setenv(prefix+"_SECRET", scriptSecret)
	return s
}

func (s *scriptShop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err = cmp.Or(err, s.check.Verify(body, r.Header)); err != nil {
		s.badly = err.Error()
		http.Error(w, s.badly, http.StatusUnauthorized)
		return
	}
	answer := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	s.received = string(body)
	if answer < 300 {
		s.obey(body)
	}
	w.WriteHeader(answer)
}

func (s *scriptShop) obey(body []byte) {
	var p struct {
		Type string
		Data struct{ Revision int64 }
	}
	if err := json.Unmarshal(body, &p); err != nil {
		s.badly = err.Error()
		return
	}
	if strings.HasPrefix(p.Type, "storefront.") && p.Data.Revision > s.revision {
		s.obeys, s.revision = string(body), p.Data.Revision
	}
}

func (s *scriptShop) says() (text, badly string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "received " + s.received + "\nobeys " + s.obeys + "\n", s.badly
}

// shopSays is `shop-says NAME REGEXP`: it waits until what the storefront
// received last and what it obeys, a line each, match.
func shopSays(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 2, "shop-says NAME REGEXP")
	s, want := around(ts).shops[args[0]], pattern(ts, args[1])
	var text string
	patiently(ts, func() bool {
		var badly string
		if text, badly = s.says(); badly != "" {
			ts.Fatalf("%s was sent what it cannot believe: %s", args[0], badly)
		}
		return want.MatchString(text)
	}, func() string { return args[0] + " never came to match " + args[1] + "; it says\n" + text })
}

// scriptMail is a mail server that keeps what it takes.
type scriptMail struct {
	mu     sync.Mutex
	answer int // to RCPT; 0: welcome
	got    []string
}

// mailserver is `mailserver [CODE]`: it starts a mail server that takes every
// mail, or refuses every recipient with the code, and sets MAIL_ADDR. For one
// that runs it changes the answer.
func mailserver(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 0, "mailserver [CODE]")
	m := around(ts).mail
	if m == nil {
		m = &scriptMail{}
		around(ts).mail = m
		m.serve(ts)
	}
	answer := 0
	if len(args) > 0 {
		var err error
		answer, err = strconv.Atoi(args[0])
		ts.Check(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer = answer
}

func (m *scriptMail) serve(ts *testscript.TestScript) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &scriptSession{m: m}, nil }))
	go server.Serve(l)
	ts.Defer(func() { server.Close() })
	ts.Setenv("MAIL_ADDR", l.Addr().String())
}

type scriptSession struct {
	m        *scriptMail
	from, to string
}

func (s *scriptSession) Reset()        {}
func (s *scriptSession) Logout() error { return nil }

func (s *scriptSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *scriptSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.m.answer != 0 {
		return &smtp.SMTPError{Code: s.m.answer, EnhancedCode: smtp.EnhancedCode{s.m.answer / 100, 7, 1}, Message: "we do not know this shop"}
	}
	return nil
}

func (s *scriptSession) Data(r io.Reader) error {
	text, err := readable(s.from, s.to, r)
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.m.got = append(s.m.got, text)
	return nil
}

// readable is a mail as its reader sees it: some headers and the text.
func readable(from, to string, r io.Reader) (string, error) {
	msg, err := mail.ReadMessage(r)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintln(&b, "Rcpt:", to)
	for _, name := range []string{"From", "Subject", "Feedback-Id", "List-Unsubscribe", "Message-Id", "Backsoon-Checkpoint"} {
		text, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get(name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s: %s\n", name, text)
	}
	fmt.Fprintln(&b, "Return-Path:", from)
	for _, signature := range msg.Header["Dkim-Signature"] {
		algorithm, _, _ := strings.Cut(signature, ";")
		fmt.Fprintln(&b, "Signed:", algorithm)
	}
	body, err := bodyText(msg)
	return b.String() + "\n" + body, err
}

// bodyText is the first part of a mail, which is the plain one.
func bodyText(msg *mail.Message) (string, error) {
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		return "", err
	}
	var part io.Reader
	if strings.HasPrefix(kind, "multipart/") {
		part, err = multipart.NewReader(msg.Body, params["boundary"]).NextPart()
	} else {
		part = quotedprintable.NewReader(msg.Body)
	}
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(part)
	return strings.ReplaceAll(string(text), "\r\n", "\n"), err
}

// mails is `mails REGEXP COUNT`: it waits until so many mails match, and prints
// them.
func mails(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 2, "mails REGEXP COUNT")
	want := pattern(ts, args[0])
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	var found []string
	patiently(ts, func() bool {
		if found = around(ts).mail.matching(want); len(found) > count {
			ts.Fatalf("%d mails match %s:\n%s", len(found), args[0], strings.Join(found, "\n"))
		}
		return len(found) == count
	}, func() string {
		return fmt.Sprintf("only %d mails match %s, of these:\n%s", len(found), args[0], strings.Join(around(ts).mail.matching(regexp.MustCompile("")), "\n"))
	})
	_, err = io.WriteString(ts.Stdout(), strings.Join(found, "\n"))
	ts.Check(err)
}

func (m *scriptMail) matching(want *regexp.Regexp) (found []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, text := range m.got {
		if want.MatchString(text) {
			found = append(found, text)
		}
	}
	return found
}

// eventually is `eventually REGEXP PROGRAM…`: it runs the program again and
// again until its output matches.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 2, "eventually REGEXP PROGRAM…")
	want := pattern(ts, args[0])
	patiently(ts, func() bool {
		_ = ts.Exec(args[1], args[2:]...) // it may well fail at first
		return want.MatchString(ts.ReadFile("stdout"))
	}, func() string { return "the output never came to match " + args[0] })
}

// capture is `capture NAME FILE REGEXP`: it waits until the file matches and
// sets NAME to the first group.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 3, "capture NAME FILE REGEXP")
	want := pattern(ts, args[2])
	patiently(ts, func() bool {
		var text string
		if args[1] == "stdout" {
			text = ts.ReadFile(args[1])
		} else if b, err := os.ReadFile(ts.MkAbs(args[1])); err == nil {
			text = string(b)
		}
		found := want.FindStringSubmatch(text)
		if len(found) > 1 {
			ts.Setenv(args[0], found[1])
		}
		return len(found) > 1
	}, func() string { return args[1] + " never came to match " + args[2] })
}

// lookIntoJSON is `json FILE PATH REGEXP`: the value at the path, members and
// indexes with dots between, matches as a whole when written as compact JSON.
func lookIntoJSON(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 3, "json FILE PATH REGEXP")
	value := json.RawMessage(ts.ReadFile(args[0]))
	for _, step := range strings.Split(args[1], ".") {
		value = stepInto(ts, value, step)
	}
	var compact bytes.Buffer
	ts.Check(json.Compact(&compact, value))
	if !pattern(ts, "^(?:"+args[2]+")$").Match(compact.Bytes()) {
		ts.Fatalf("%s is %s, not %s", args[1], compact.Bytes(), args[2])
	}
}

func stepInto(ts *testscript.TestScript, value json.RawMessage, step string) json.RawMessage {
	if i, err := strconv.Atoi(step); err == nil {
		var list []json.RawMessage
		ts.Check(json.Unmarshal(value, &list))
		if i < len(list) {
			return list[i]
		}
		ts.Fatalf("there is no %s in %s", step, value)
	}
	var object map[string]json.RawMessage
	ts.Check(json.Unmarshal(value, &object))
	if object[step] == nil {
		ts.Fatalf("there is no %s in %s", step, value)
	}
	return object[step]
}

// visit is `visit METHOD URL [FORM]`: it prints the status and the page. A mail
// program's form is sent unless another is given.
func visit(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 2, "visit METHOD URL [FORM]")
	args = append(args, "List-Unsubscribe=One-Click")
	req, err := http.NewRequest(args[0], args[1], strings.NewReader(args[2]))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	fmt.Fprintln(ts.Stdout(), res.StatusCode)
	_, err = io.Copy(ts.Stdout(), res.Body)
	ts.Check(err)
}

// complains is `complains REGEXP PROGRAM…`: the program exits with 1 and says
// why in one line, and nothing else.
func complains(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 2, "complains REGEXP PROGRAM…")
	want := pattern(ts, args[0])
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		ts.Fatalf("it should have failed with exit code 1: %v", err)
	}
	said, line := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	if said != "" || strings.Count(line, "\n") != 1 || !want.MatchString(line) {
		ts.Fatalf("one line on stderr should match %s", args[0])
	}
}

// database is `database FILE`: it makes a database that is another program's.
func database(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 1, "database FILE")
	db, err := sql.Open("sqlite3", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec("CREATE TABLE photos (name TEXT); INSERT INTO photos VALUES ('harbour.jpg')")
	ts.Check(err)
}

// tamper is `tamper FILE STATEMENT`: it changes a ledger as somebody does who has the
// file in hand.
func tamper(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 2, "tamper FILE STATEMENT")
	db, err := sql.Open("sqlite3", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec("DROP TRIGGER IF EXISTS audit_is_not_changed; DROP TRIGGER IF EXISTS audit_is_not_deleted; " + args[1])
	ts.Check(err)
}
