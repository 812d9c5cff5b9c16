//go:build validate

package site

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/backsoon/backsoon/internal/statuspage"
)

// serveFiles serves a site as any web server does.
func serveFiles(t *testing.T, files Files) (address string) {
	t.Helper()
	types := map[string]string{".json": "application/json", ".html": "text/html", ".js": "text/javascript"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", types[path.Ext(r.URL.Path)])
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = w.Write(content)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestStatuspageClient has statuspage.io, a client from npm, read api/v2.
func TestStatuspageClient(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Known = known(t)
	out, err := exec.CommandContext(t.Context(), "node", "testdata/statuspage/read.mjs", serveFiles(t, build(t, in))).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
	}
	var answers map[string]statuspage.Document
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	got := answers["status"].Status
	if *got != *answers["summary"].Status || got.Indicator != "maintenance" || !strings.Contains(got.Description, "Reopens Sat 2 January, 09:00 (Lisbon)") {
		t.Errorf("status: %+v", got)
	}
	for name, want := range map[string][]string{
		"summary":  {"Stocktaking", "Closed for the winter break", "The post is slow"},
		"upcoming": {"Stocktaking"},
	} {
		var got []string
		for _, m := range answers[name].Maintenances {
			got = append(got, m.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if c := answers["components"].Components; len(c) != 2 || c[0].Status != "under_maintenance" || c[1].Status != "operational" {
		t.Errorf("components: %+v", c)
	}
	for _, name := range []string{"incidents", "unresolved"} {
		if i := answers[name].Incidents; i == nil || len(i) > 0 {
			t.Errorf("%s: %v", name, i)
		}
	}
}

// TestStatuspageWidgetClient has the widget that Statuspage itself gives to its
// customers show our page, on a page elsewhere.
func TestStatuspageWidgetClient(t *testing.T) {
	widget, err := os.ReadFile("testdata/statuspage/node_modules/@statuspage/status-widget/dist/index.js")
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[string]string{
		"2026-12-29 11:00": "status-indicator maintenance|Online shop: Closed. Reopens Sat 2 January, 09:00 (Lisbon) · Market stall: Open. Closing Mon 1 February (Lisbon)",
		"2027-06-29 11:00": "status-indicator none|Open",
	} {
		in := input(t, now)
		in.Notices[0].Reopening = nil
		page := `<!DOCTYPE html><script src="widget.js"></script><statuspage-widget src="` + serveFiles(t, build(t, in)) + `"></statuspage-widget>`
		shop := serveFiles(t, Files{"index.html": []byte(page), "widget.js": widget})
		tab := newTab(t)
		if err := chromedp.Do(tab, chromedp.Navigate(shop+"/index.html")); err != nil {
			t.Fatal(err)
		}
		got, err := chromedp.Run(tab, chromedp.Poll[string](`((root) => root?.querySelector(".status-text") &&
			root.querySelector(".status-indicator").className + "|" + root.querySelector(".status-text").textContent)(document.querySelector("statuspage-widget").shadowRoot)`))
		if err != nil || got != want {
			t.Errorf("at %s the widget shows %q (%v), want %q", now, got, err, want)
		}
	}
}
