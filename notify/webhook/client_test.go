package webhook

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// send makes one attempt at a URL that looks like one with a token in it.
func send(t *testing.T, c *Client, target string) Outcome {
	t.Helper()
	e := Endpoint{URL: target + "?token=hunter2", Secrets: []string{NewSecret()}}
	o := c.Send(t.Context(), e, "msg_1", time.Now(), []byte(`{"type":"test"}`))
	if o.Err != nil && (strings.Contains(o.Err.Error(), "hunter2") || strings.Contains(o.Err.Error(), "whsec_")) {
		t.Errorf("the error tells a secret: %v", o.Err)
	}
	if o.Acknowledged == (o.Err != nil) {
		t.Errorf("acknowledged %v, and yet %v", o.Acknowledged, o.Err)
	}
	return o
}

func says(t *testing.T, o Outcome, want string) {
	t.Helper()
	if o.Err == nil || !strings.Contains(o.Err.Error(), want) {
		t.Errorf("the error is %v, want %q in it", o.Err, want)
	}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/hooks/closure"
}

func TestSendIsVerifiedByIndependentLibrary(t *testing.T) {
	secrets := []string{NewSecret(), NewSecret()}
	const sent = `{"type":"storefront.closed"}`
	var verified int
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for _, secret := range secrets {
			wh, err := standardwebhooks.NewWebhook(secret)
			if err != nil {
				t.Error(err)
			} else if err := wh.Verify(body, r.Header); err != nil {
				t.Error(err)
			} else {
				verified++
			}
		}
		if r.Method != "POST" || string(body) != sent || r.Header.Get("Content-Type") != "application/json" || r.UserAgent() != "backsoon" {
			t.Errorf("%s %q %v", r.Method, body, r.Header)
		}
		w.WriteHeader(http.StatusAccepted)
	})
	o := NewClient().Send(t.Context(), Endpoint{URL: target, Secrets: secrets}, "msg_1", time.Now(), []byte(sent))
	if want := (Outcome{Status: 202, Acknowledged: true}); o != want {
		t.Errorf("%+v, want %+v", o, want)
	}
	if verified != 2 {
		t.Errorf("verified with %d secrets of 2", verified)
	}
}

func TestSendKeepsTheConnection(t *testing.T) {
	peers := map[string]bool{}
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		peers[r.RemoteAddr] = true
		io.WriteString(w, "thanks")
	})
	c := NewClient()
	for range 3 {
		send(t, c, target)
	}
	if len(peers) != 1 {
		t.Errorf("%d connections for three messages", len(peers))
	}
}

func TestAnswers(t *testing.T) {
	tests := map[int]struct {
		want Outcome
		err  string
	}{
		200: {Outcome{Acknowledged: true}, ""},
		204: {Outcome{Acknowledged: true}, ""},
		301: {Outcome{}, "redirect"},
		401: {Outcome{}, "answered 401"},
		404: {Outcome{}, "answered 404"},
		410: {Outcome{Gone: true}, "wants no more"},
		500: {Outcome{}, "answered 500"},
		503: {Outcome{}, "answered 503"},
		502: {Outcome{Ambiguous: true}, "answered 502"},
		504: {Outcome{Ambiguous: true}, "answered 504"},
	}
	c := NewClient()
	for status, test := range tests {
		requests := 0
		target := serve(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		o := send(t, c, target)
		if test.err != "" {
			says(t, o, test.err)
		}
		o.Err = nil
		test.want.Status = status
		if o != test.want {
			t.Errorf("%d: %+v, want %+v", status, o, test.want)
		}
		if requests != 1 {
			t.Errorf("%d: %d requests", status, requests)
		}
	}
}

func TestAcknowledgedWhateverFollowsTheStatus(t *testing.T) {
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		io.WriteString(w, "only this much")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	if o := send(t, NewClient(), target); !o.Acknowledged || o.Ambiguous {
		t.Errorf("%+v", o)
	}
}

func TestHangIsAmbiguous(t *testing.T) {
	release := make(chan struct{})
	target := serve(t, func(w http.ResponseWriter, r *http.Request) { <-release })
	defer close(release)
	c := NewClient()
	c.Timeout = 50 * time.Millisecond
	o := send(t, c, target)
	if !o.Ambiguous || o.Status != 0 {
		t.Errorf("%+v", o)
	}
	says(t, o, "no answer in 0.05 s")
}

func TestInterruptedIsAmbiguous(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // only then does the server notice that the client left
		cancel()
		<-r.Context().Done()
	})
	o := NewClient().Send(ctx, Endpoint{URL: target, Secrets: []string{NewSecret()}}, "msg_1", time.Now(), []byte("{}"))
	if !o.Ambiguous {
		t.Errorf("%+v", o)
	}
	says(t, o, "interrupted")
}

// rawServer does as it likes with a connection on which a request has begun.
func rawServer(t *testing.T, treat func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			treat(conn.(*net.TCPConn))
			conn.Close()
		}
	}()
	return l.Addr().String()
}

func TestLostConnectionIsAmbiguous(t *testing.T) {
	reset := func(c *net.TCPConn) { c.SetLinger(0) }
	tests := map[string]struct {
		treat func(*net.TCPConn)
		err   string
	}{
		"reset at once":      {reset, "reset"},
		"closed at once":     {func(*net.TCPConn) {}, "closed before"},
		"reset in the head":  {func(c *net.TCPConn) { io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Half: 1\r\n"); reset(c) }, "before the answer came"},
		"closed in the head": {func(c *net.TCPConn) { io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Half: 1\r\n") }, "closed before"},
		"no HTTP":            {func(c *net.TCPConn) { io.WriteString(c, strings.Repeat("x", 500)+"\r\n") }, "malformed HTTP"},
	}
	for name, test := range tests {
		o := send(t, NewClient(), "http://"+rawServer(t, test.treat)+"/")
		if !o.Ambiguous || o.Acknowledged || len(o.Err.Error()) > 250 {
			t.Errorf("%s: %+v", name, o)
		}
		says(t, o, test.err)
	}
}

func TestUnreachedIsNotAmbiguous(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	plain := strings.TrimPrefix(serve(t, func(http.ResponseWriter, *http.Request) {}), "http://")
	unknownIssuer := httptest.NewUnstartedServer(nil)
	unknownIssuer.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that we break off
	unknownIssuer.StartTLS()
	defer unknownIssuer.Close()

	for target, want := range map[string]string{
		"http://" + nobody + "/": "connection refused",
		"https://" + plain:       "without TLS",
		unknownIssuer.URL:        "certificate",
		"ftp://127.0.0.1/":       "unsupported protocol",
		"http://%zz/":            "invalid URL escape",
		"":                       "unsupported protocol",
	} {
		o := send(t, NewClient(), target)
		if o.Ambiguous || o.Status != 0 {
			t.Errorf("%s: %+v", target, o)
		}
		says(t, o, want)
	}
}

func TestHandshakeThatHangsIsNotAmbiguous(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	c := NewClient()
	c.Timeout = 50 * time.Millisecond
	o := send(t, c, "https://"+rawServer(t, func(*net.TCPConn) { <-release })+"/")
	if o.Ambiguous {
		t.Errorf("%+v", o)
	}
	says(t, o, "no connection in 0.05 s")
}

func TestSendOverHTTP2(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("came by %s", r.Proto)
		}
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	c := NewClient()
	c.private.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	if o := send(t, c, s.URL); !o.Acknowledged {
		t.Errorf("%+v", o)
	}
}

func TestNoProxyFromTheEnvironment(t *testing.T) {
	for _, c := range []*http.Client{NewClient().public, NewClient().private} {
		if c.Transport.(*http.Transport).Proxy != nil {
			t.Error("asks for a proxy")
		}
	}
}
