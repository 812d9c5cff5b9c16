package operator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

var noon = time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC)

// desk is a desk with the time in the test's hand.
type desk struct {
	*Desk
	t    *testing.T
	now  time.Time
	owed Owed
	err  error
	url  string
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, now: noon}
	d.Desk = Open(func() time.Time { return d.now }, func(context.Context) (Owed, error) { return d.owed, d.err })
	server := httptest.NewServer(d.Handler())
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func (d *desk) get(path string) (status int, text string) {
	d.t.Helper()
	res, err := http.Get(d.url + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (d *desk) answers(path string, status int, says string) {
	d.t.Helper()
	if got, text := d.get(path); got != status || !strings.Contains(text, says) {
		d.t.Errorf("%s: %d %q, not %d %q", path, got, text, status, says)
	}
}

// TestHealth goes through the life of a watcher.
func TestHealth(t *testing.T) {
	d := newDesk(t)
	d.answers("/healthz", 200, "ok")
	d.answers("/readyz", 503, "has not looked at the notices yet")
	d.Reconciled(time.Millisecond, nil)
	d.answers("/readyz", 200, "ok")
	d.Reconciled(time.Millisecond, errors.New("the disk is full; make room"))
	d.answers("/healthz", 200, "ok")
	d.answers("/readyz", 503, "make room")
	d.Reconciled(time.Millisecond, nil)
	d.answers("/readyz", 200, "ok")
	d.now = d.now.Add(3*time.Minute + time.Second)
	d.answers("/healthz", 503, "start it again")
	d.answers("/readyz", 503, "start it again")
	d.answers("/subscribe", 404, "")
}

// TestMetrics reads the numbers with Prometheus's own parser.
func TestMetrics(t *testing.T) {
	d := newDesk(t)
	d.owed = Owed{Webhooks: 2, Mail: 1200, SinceMail: noon.Add(-time.Hour)}
	d.Reconciled(20*time.Millisecond, nil)
	d.Reconciled(time.Second, errors.New("no"))
	d.Built(300*time.Millisecond, nil)
	d.Sent("web", "acknowledged")
	d.Sent("web", "timeout")
	d.Sent("web", "timeout")
	d.Mailed("sent")
	families := d.parse()
	for name, want := range map[string]float64{
		"backsoon_owed kind=webhooks":                                         2,
		"backsoon_owed kind=mail":                                             1200,
		"backsoon_oldest_owed_seconds kind=webhooks":                          0,
		"backsoon_oldest_owed_seconds kind=mail":                              3600,
		"backsoon_reconcile_failures_total":                                   1,
		"backsoon_last_build_timestamp_seconds":                               float64(noon.Unix()),
		"backsoon_webhook_attempts_total outcome=timeout storefront=web":      2,
		"backsoon_webhook_attempts_total outcome=acknowledged storefront=web": 1,
		"backsoon_mail_attempts_total outcome=sent":                           1,
	} {
		if got, ok := families[name]; !ok || got != want {
			t.Errorf("%s is %v (there: %v), not %v", name, got, ok, want)
		}
	}
	d.err = errors.New("the ledger can't be read")
	if status, text := d.get("/metrics"); status != 500 || !strings.Contains(text, "can't be read") {
		t.Errorf("without a ledger: %d %s", status, text)
	}
}

// parse gives each counter and gauge by its name and labels.
func (d *desk) parse() map[string]float64 {
	d.t.Helper()
	_, text := d.get("/metrics")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		d.t.Fatal(err)
	}
	values := map[string]float64{}
	for name, family := range families {
		for _, m := range family.Metric {
			values[name+labels(m)] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return values
}

func labels(m *dto.Metric) (text string) {
	for _, l := range m.Label {
		text += " " + l.GetName() + "=" + l.GetValue()
	}
	return text
}
