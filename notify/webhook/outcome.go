package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Outcome is what came of one attempt.
type Outcome struct {
	Status       int  // of the HTTP answer; 0: there was none
	Acknowledged bool // 2xx: the receiver has stored it
	Gone         bool // 410: the receiver wants no more

	// Ambiguous: nobody knows whether the receiver will still carry the request
	// out, perhaps late, after a newer one.
	Ambiguous bool

	// Err says in a short sentence for the shop's owner why the message is not
	// acknowledged. It holds no secret and nothing of the URL but its host.
	Err error
}

// Word is the outcome in a word, to count by: acknowledged, gone, status-500,
// unanswered, or unreachable.
func (o Outcome) Word() string {
	switch {
	case o.Acknowledged:
		return "acknowledged"
	case o.Gone:
		return "gone"
	case o.Status != 0:
		return "status-" + strconv.Itoa(o.Status)
	case o.Ambiguous:
		return "unanswered"
	}
	return "unreachable"
}

// answered judges an HTTP status. Statuses of RFC 9110, section 15; 524 is how
// Cloudflare says 504.
func answered(status int) Outcome {
	o := Outcome{Status: status}
	switch {
	case status/100 == 2:
		o.Acknowledged = true
	case status == http.StatusGone:
		o.Gone = true
		o.Err = errors.New("answered 410: it wants no more webhooks")
	case status/100 == 3:
		o.Err = fmt.Errorf("answered %d, a redirect, and redirects are not followed; write the address it leads to", status)
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout, status == 524:
		// A proxy answered in place of the shop, which may be at it still.
		o.Ambiguous = true
		fallthrough
	default:
		o.Err = fmt.Errorf("answered %d", status)
	}
	return o
}

// unanswered judges an attempt that brought no HTTP status.
func (c *Client) unanswered(ctx context.Context, err error, reached bool) Outcome {
	o := Outcome{Ambiguous: reached}
	switch {
	case ctx.Err() != nil:
		o.Err = errors.New("interrupted before the answer came")
	case !errors.Is(err, context.DeadlineExceeded):
		o.Err = explained(err)
	case reached:
		o.Err = fmt.Errorf("no answer in %s", spoken(c.Timeout))
	default:
		o.Err = fmt.Errorf("no connection in %s", spoken(c.Timeout))
	}
	return o
}

func spoken(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'g', -1, 64) + " s"
}

// explained puts a network error into an owner's words.
func explained(err error) error {
	var private *privateError
	var name *net.DNSError
	switch {
	case errors.As(err, &private):
		return private
	case errors.As(err, &name) && name.IsNotFound:
		return fmt.Errorf("there is no host named %s", name.Name)
	case errors.As(err, &name):
		return fmt.Errorf("the host name %s could not be looked up", name.Name)
	case errors.Is(err, http.ErrSchemeMismatch):
		return errors.New("it speaks HTTP without TLS; write http:// or the port that speaks TLS")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errors.New("connection reset before the answer came")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("connection closed before the answer came")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.ETIMEDOUT):
		return errors.New("host unreachable")
	}
	return redacted(err)
}

// redacted drops the URL, which may hold a token, and keeps what is wrong, but
// not all that a stranger's server may have said instead of HTTP.
func redacted(err error) error {
	var in *url.Error
	if errors.As(err, &in) {
		err = in.Err
	}
	const most = 200
	if text := err.Error(); len(text) > most {
		return errors.New(strings.ToValidUTF8(text[:most], "") + "…")
	}
	return err
}
