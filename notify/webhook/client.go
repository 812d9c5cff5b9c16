package webhook

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// Endpoint is where a webhook goes.
type Endpoint struct {
	URL     string
	Secrets []string // each signs; see Sign
	Private bool     // the host may resolve to a private address
}

// Client sends webhooks. It is safe for concurrent use, and keeps connections
// open so that a closure reaches a storefront without a new handshake.
type Client struct {
	Timeout time.Duration // of one attempt, from looking up the name to the answer

	public, private *http.Client
}

// NewClient gives a client with the timeout of 15 seconds that receivers may
// rely on. It uses no proxy from the environment and follows no redirects.
func NewClient() *Client { return newClient(nil) }

func newClient(names *net.Resolver) *Client {
	return &Client{
		Timeout: 15 * time.Second,
		public:  httpClient(&net.Dialer{Resolver: names, Control: guard}),
		private: httpClient(&net.Dialer{Resolver: names}),
	}
}

// httpClient has a pool of connections of its own: one that was dialed for a
// private endpoint must never serve a guarded one.
func httpClient(dialer *net.Dialer) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: maxAnswer,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// maxAnswer is how much of an answer is read, so that the connection can be
// used again; nothing in it matters but its status.
const maxAnswer = 64 << 10

// Send makes one attempt to deliver the body, signed as of at, under the
// message's id. It never retries by itself.
func (c *Client) Send(ctx context.Context, e Endpoint, id string, at time.Time, body []byte) Outcome {
	var reached atomic.Bool
	attempt, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	req, err := request(traced(attempt, &reached), e, id, at, body)
	if err != nil {
		return Outcome{Err: redacted(err)}
	}
	resp, err := c.clientFor(e, req.URL).Do(req)
	if err != nil {
		return c.unanswered(ctx, err, reached.Load())
	}
	defer resp.Body.Close()
	io.CopyN(io.Discard, resp.Body, maxAnswer) // the status has been read; a broken rest changes nothing
	return answered(resp.StatusCode)
}

func (c *Client) clientFor(e Endpoint, u *url.URL) *http.Client {
	if e.Private || namesPrivate(u) {
		return c.private
	}
	return c.public
}

// traced notes when there is a connection, TLS handshake included: from then on
// the receiver may have got the request.
func traced(ctx context.Context, reached *atomic.Bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { reached.Store(true) },
	})
}

func request(ctx context.Context, e Endpoint, id string, at time.Time, body []byte) (*http.Request, error) {
	signatures, err := Sign(e.Secrets, id, at, body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "backsoon")
	req.Header.Set(HeaderID, id)
	req.Header.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(HeaderSignature, signatures)
	return req, nil
}
