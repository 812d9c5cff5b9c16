package demo

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"testing"
)

const letter = "From: =?utf-8?q?Livraria_do_Farol_=C3=A9?= <closures@shop.example>\r\n" +
	"To: Ada <ada@example.com>\r\n" +
	"Subject: =?utf-8?q?Closed_for_<caf=C3=A9>?=\r\n" +
	"Message-ID: <abc@shop.example>\r\n" +
	"Content-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"\r\nWe are =\r\nclosed =E2=80=93 back <soon>.\r\nSecond line.\r\n" +
	"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
	"PGh0bWw+PGhlYWQ+PC9oZWFkPjxib2R5PjxzY3JpcHQ+YWxlcnQo\r\nMSk8L3NjcmlwdD48cD5jbG9zZWQ8L3A+PC9ib2R5PjwvaHRtbD4=\r\n" +
	"--b--\r\n"

// startMailbox gives a mailbox, where it takes mail, and where it shows it.
func startMailbox(t *testing.T) (m *Mailbox, smtpAddr, url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m = NewMailbox()
	served := make(chan error)
	go func() { served <- m.ServeSMTP(l) }()
	server := httptest.NewServer(m.Handler())
	t.Cleanup(func() {
		server.Close()
		m.Close()
		if err := <-served; err != nil {
			t.Errorf("after Close: %v", err)
		}
	})
	return m, l.Addr().String(), server.URL
}

func deliver(t *testing.T, addr, source string, to ...string) {
	t.Helper()
	if err := smtp.SendMail(addr, nil, "bounces@shop.example", to, []byte(source)); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestMailboxKeepsWhatItTakes(t *testing.T) {
	m, addr, _ := startMailbox(t)
	deliver(t, addr, letter, "ada@example.com")
	mails := m.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	got := mails[0]
	got.Received = got.Received.Round(0)
	want := Mail{
		Number: 1, Received: got.Received, To: "ada@example.com", From: "Livraria do Farol é <closures@shop.example>",
		Subject: "Closed for <café>", MessageID: "<abc@shop.example>",
		Text:   "\r\nWe are closed – back <soon>.\r\nSecond line.",
		HTML:   "<html><head></head><body><script>alert(1)</script><p>closed</p></body></html>",
		Source: letter,
	}
	if got != want {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}

func TestTwoMailsInOneConversation(t *testing.T) {
	m, addr, _ := startMailbox(t)
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, to := range []string{"ada@example.com", "bob@example.com"} {
		w, err := data(c, to)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, letter)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	mails := m.Mails()
	if len(mails) != 2 || mails[0].To != "ada@example.com" || mails[1].To != "bob@example.com" {
		t.Errorf("%+v", mails)
	}
}

func data(c *smtp.Client, to string) (io.WriteCloser, error) {
	if err := c.Mail("bounces@shop.example"); err != nil {
		return nil, err
	}
	if err := c.Rcpt(to); err != nil {
		return nil, err
	}
	return c.Data()
}

func TestMailboxPages(t *testing.T) {
	_, addr, url := startMailbox(t)
	_, list := get(t, url+"/")
	contains(t, list, "No mail yet")
	deliver(t, addr, letter, "ada@example.com", "bob@example.com")
	deliver(t, addr, "Subject: A second one\r\n\r\nShort.\r\n", "eve@example.com")

	_, list = get(t, url+"/")
	contains(t, list, "2 mails", "ada@example.com, bob@example.com", "Closed for &lt;café&gt;", "We are closed – back &lt;soon&gt;.", `href="/mail/2"`)
	if strings.Index(list, "A second one") > strings.Index(list, "Closed for") {
		t.Error("the newest is not first")
	}
	_, mail := get(t, url+"/mail/1")
	contains(t, mail, "&lt;abc@shop.example&gt;", "<iframe sandbox=", `src="/mail/1/html"`, "back &lt;soon&gt;")
	_, short := get(t, url+"/mail/2")
	if strings.Contains(short, "<iframe") {
		t.Error("a frame for a mail without HTML")
	}
	resp, html := get(t, url+"/mail/1/html")
	contains(t, html, `<head><base target="_blank">`, "<p>closed</p>")
	contains(t, resp.Header.Get("Content-Security-Policy"), "sandbox", "default-src 'none'")
	resp, source := get(t, url+"/mail/1/source")
	if source != letter || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the source came as %v\n%s", resp.Header, source)
	}
	for _, path := range []string{"/mail/0", "/mail/3", "/mail/x", "/mail/-1/html", "/nothing"} {
		if resp, _ := get(t, url+path); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s is answered %d", path, resp.StatusCode)
		}
	}
}

func TestOldestMailsMakeRoom(t *testing.T) {
	m := NewMailbox()
	for i := range maxMails + 2 {
		m.take([]string{"ada@example.com"}, fmt.Appendf(nil, "Subject: %d\r\n\r\n", i+1))
	}
	mails := m.Mails()
	if len(mails) != maxMails || mails[0].Subject != "3" {
		t.Errorf("%d mails, the first is %q", len(mails), mails[0].Subject)
	}
	if _, ok := m.mail(2); ok {
		t.Error("shows a mail that made room")
	}
	if mail, ok := m.mail(3); !ok || mail.Subject != "3" {
		t.Errorf("mail 3 is %+v", mail)
	}
}

func TestMailThatIsNoGoodMIME(t *testing.T) {
	for name, source := range map[string]string{
		"nothing":           "",
		"no header":         "\x00\xff",
		"no boundary":       "Content-Type: multipart/mixed\r\n\r\nx",
		"unfinished part":   "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhalf",
		"broken base64":     "Content-Transfer-Encoding: base64\r\n\r\n!!!!",
		"unknown word code": "Subject: =?x-none?q?a?=\r\n\r\nx",
	} {
		if got := parseMail([]string{"ada@example.com"}, []byte(source)); got.Source != source || got.To != "ada@example.com" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
