// Package operator answers the one who runs a watcher, on the address that the
// settings call `admin`: whether it works, whether it is ready, and in numbers
// what it does. Nothing here is for customers, and nothing tells of one of them.
package operator

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// stuckAfter is how long the watcher's loop may take for one turn: it turns at
// least each minute.
const stuckAfter = 3 * time.Minute

// Owed is what has not been delivered yet.
type Owed struct {
	Webhooks, Mail           int
	SinceWebhooks, SinceMail time.Time // since when the oldest of each is; zero: none is
}

// Desk is where the operator asks. The watcher tells it what it does by the
// methods of notify.Observer. It may be used from several goroutines.
type Desk struct {
	now      func() time.Time
	owed     func(context.Context) (Owed, error)
	registry *prometheus.Registry

	reconciles prometheus.Histogram
	failures   prometheus.Counter
	builds     prometheus.Histogram
	built      prometheus.Gauge
	webhooks   *prometheus.CounterVec
	written    prometheus.Counter
	mail       *prometheus.CounterVec

	mu     sync.Mutex
	turned time.Time // the last turn of the watcher's loop; at first, when the desk was opened
	done   bool      // one turn was carried out
	err    error     // of the last turn
}

// Open opens a desk. owed asks the ledger.
func Open(now func() time.Time, owed func(context.Context) (Owed, error)) *Desk {
	seconds := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	histogram := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: seconds})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	d := &Desk{
		now: now, owed: owed, turned: now(), registry: prometheus.NewRegistry(),
		reconciles: histogram("backsoon_reconcile_seconds", "Time that one comparison of the notices with what was done took."),
		failures:   prometheus.NewCounter(prometheus.CounterOpts{Name: "backsoon_reconcile_failures_total", Help: "Comparisons that could not be written down; each is tried again."}),
		builds:     histogram("backsoon_build_seconds", "Time that it took to bring the pages up to date."),
		built:      prometheus.NewGauge(prometheus.GaugeOpts{Name: "backsoon_last_build_timestamp_seconds", Help: "When the pages were last brought up to date, in Unix seconds."}),
		webhooks:   counters("backsoon_webhook_attempts_total", "Webhooks sent, by storefront and by what came of it.", "storefront", "outcome"),
		written:    prometheus.NewCounter(prometheus.CounterOpts{Name: "backsoon_letters_written_total", Help: "Letters that mails owe, written down to be sent."}),
		mail:       counters("backsoon_mail_attempts_total", "Letters and alerts given to the mail server, by what came of it.", "outcome"),
	}
	d.registry.MustRegister(d.reconciles, d.failures, d.builds, d.built, d.webhooks, d.written, d.mail, debts{d},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return d
}

// Reconciled notes a turn of the watcher's loop.
func (d *Desk) Reconciled(took time.Duration, err error) {
	d.reconciles.Observe(took.Seconds())
	if err != nil {
		d.failures.Inc()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turned, d.done, d.err = d.now(), d.done || err == nil, err
}

// Built notes that the pages were made, or could not be.
func (d *Desk) Built(took time.Duration, err error) {
	if err != nil {
		return
	}
	d.builds.Observe(took.Seconds())
	d.built.Set(float64(d.now().Unix()))
}

// Sent notes what came of a webhook: acknowledged, gone, or the reason in a word.
func (d *Desk) Sent(storefront, outcome string) {
	d.webhooks.WithLabelValues(storefront, outcome).Inc()
}

// Expanded notes that so many letters of a mail are written down.
func (d *Desk) Expanded(letters int) { d.written.Add(float64(letters)) }

// Mailed notes what came of a letter or an alert.
func (d *Desk) Mailed(outcome string) { d.mail.WithLabelValues(outcome).Inc() }

// Healthy tells why the watcher is to be started again; nil: it works.
func (d *Desk) Healthy() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if idle := d.now().Sub(d.turned); idle > stuckAfter {
		return fmt.Errorf("the watcher has not looked for %v; start it again", idle.Round(time.Second))
	}
	return nil
}

// Ready tells why the watcher can't do its work yet, or just now; nil: it can.
func (d *Desk) Ready() error {
	if err := d.Healthy(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.err != nil:
		return d.err
	case !d.done:
		return fmt.Errorf("the watcher has not looked at the notices yet")
	}
	return nil
}

// Handler serves /healthz and /readyz, which answer "ok", or 503 with the reason,
// and /metrics, in the Prometheus text format.
func (d *Desk) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", answer(d.Healthy))
	mux.HandleFunc("GET /readyz", answer(d.Ready))
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	return mux
}

func answer(why func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if err := why(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	}
}

// debts asks the ledger, each time that the numbers are read, what is owed.
type debts struct{ d *Desk }

var (
	owedCount = prometheus.NewDesc("backsoon_owed", "What is not delivered yet: endpoints behind their storefront, and mail.", []string{"kind"}, nil)
	owedAge   = prometheus.NewDesc("backsoon_oldest_owed_seconds", "The age of the oldest that is owed; 0 where nothing is.", []string{"kind"}, nil)
)

// Describe implements prometheus.Collector.
func (debts) Describe(c chan<- *prometheus.Desc) { c <- owedCount; c <- owedAge }

// Collect implements prometheus.Collector.
func (b debts) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	o, err := b.d.owed(ctx)
	if err != nil {
		c <- prometheus.NewInvalidMetric(owedCount, err)
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, kind string) {
		c <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, kind)
	}
	gauge(owedCount, float64(o.Webhooks), "webhooks")
	gauge(owedCount, float64(o.Mail), "mail")
	gauge(owedAge, b.age(o.SinceWebhooks), "webhooks")
	gauge(owedAge, b.age(o.SinceMail), "mail")
}

func (b debts) age(since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, b.d.now().Sub(since).Seconds())
}
