package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const previewSettings = `shop:
  name: Harbour Books
  url: https://status.harbourbooks.example/below/
  timezone: Europe/Lisbon
storefronts:
  web: {name: Online shop}
`

const previewNotice = `---
title: Closed for the stocktake
published: 2026-01-01 10:00
closes: 2026-01-02 10:00
draft: yes
---
We count everything.
`

// newSite makes a site with one draft, and gives its folder.
func newSite(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "content/closures"), 0o777); err != nil {
		t.Fatal(err)
	}
	save(t, dir, "backsoon.yaml", previewSettings)
	save(t, dir, "content/closures/stocktake.md", previewNotice)
	return dir
}

// save writes a file as an editor does: whole, by a rename.
func save(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+"~", []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

// startServe runs `backsoon serve` until the test ends, and gives its address.
func startServe(t *testing.T, dir string) (base string) {
	t.Helper()
	cmd := exec.Command("backsoon", "--site", dir, "serve", "--addr", "127.0.0.1:0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("serve ended badly: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	base, _, ok := strings.Cut(line, "/ shows")
	if !ok {
		t.Fatalf("serve said %q (%v)", line, err)
	}
	return base
}

// get follows no redirect.
func get(t *testing.T, address string) (status int, header http.Header, body string) {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(mustRequest(t, address))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func mustRequest(t *testing.T, address string) *http.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestServePaths(t *testing.T) {
	base := startServe(t, newSite(t))
	for _, c := range []struct {
		path        string
		status      int
		contentType string
		holds       string
	}{
		{"/", 200, "text/html; charset=utf-8", "Harbour Books"},
		{"/index.html", 200, "text/html; charset=utf-8", "Harbour Books"},
		{"/closures/stocktake/", 200, "text/html; charset=utf-8", "We count everything."},
		{"/history/", 200, "text/html; charset=utf-8", "new EventSource"},
		{"/status.json", 200, "application/json", base + `/`},
		{"/feed.xml", 200, "application/rss+xml", base + "/feed.xml"},
		{"/storefronts/web/atom.xml", 200, "application/atom+xml", base + "/storefronts/web/atom.xml"},
		{"/feed.json", 200, "application/feed+json", base + "/feed.json"},
		{"/closures.ics", 200, "text/calendar; charset=utf-8", "BEGIN:VCALENDAR"},
		{"/robots.txt", 200, "text/plain; charset=utf-8", "User-agent"},
		{"/no/such/page", 404, "text/html; charset=utf-8", `href="` + base + `/index.html"`},
		{"/closures/../../backsoon.yaml", 404, "text/html; charset=utf-8", "no such page"},
	} {
		status, header, body := get(t, base+c.path)
		if c.path == "/status.json" {
			c.holds = `"web"`
			if strings.Contains(body, "EventSource") {
				t.Errorf("%s holds the script that reloads pages", c.path)
			}
		}
		if status != c.status || header.Get("Content-Type") != c.contentType || !strings.Contains(body, c.holds) {
			t.Errorf("GET %s: %d, %s\n%s\nwant %d, %s, with %q", c.path, status, header.Get("Content-Type"), body, c.status, c.contentType, c.holds)
		}
	}
}

func TestServeRedirectsToFolder(t *testing.T) {
	base := startServe(t, newSite(t))
	for path, want := range map[string]string{"/closures/stocktake": "/closures/stocktake/", "/history": "/history/"} {
		status, header, _ := get(t, base+path)
		if status != http.StatusFound || header.Get("Location") != want {
			t.Errorf("GET %s: %d to %q, want %d to %q", path, status, header.Get("Location"), http.StatusFound, want)
		}
	}
}

func TestServeOnlyShows(t *testing.T) {
	base := startServe(t, newSite(t))
	resp, err := http.Post(base+"/", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d, want %d", resp.StatusCode, http.StatusMethodNotAllowed)
	}
}

// live waits as a browser does that shows the page: until there is another.
func live(t *testing.T, base, page string) {
	t.Helper()
	path := livePathOf(t, page)
	if status, header, body := get(t, base+path); status != 200 || header.Get("Content-Type") != "text/event-stream" || !strings.HasPrefix(body, "data: ") {
		t.Fatalf("%s: %d %q", path, status, body)
	}
}

// livePathOf is where the page's script listens.
func livePathOf(t *testing.T, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `new EventSource("`)
	path, _, closed := strings.Cut(rest, `"`)
	if !ok || !closed {
		t.Fatalf("no script that reloads in %s", page)
	}
	return path
}

func TestServeListsMistakesUntilMended(t *testing.T) {
	dir := newSite(t)
	base := startServe(t, dir)
	_, _, page := get(t, base+"/")

	save(t, dir, "content/closures/stocktake.md", strings.Replace(previewNotice, "closes: 2026-01-02 10:00", "closes: <noon>", 1))
	live(t, base, page)
	for _, path := range []string{"/", "/closures/stocktake/", "/status.json"} {
		status, _, body := get(t, base+path)
		if status != 500 || !strings.Contains(body, "content/closures/stocktake.md:4:9") || !strings.Contains(body, "&lt;noon&gt;") {
			t.Errorf("GET %s with a mistake: %d\n%s", path, status, body)
		}
		page = body
	}

	save(t, dir, "content/closures/stocktake.md", previewNotice)
	live(t, base, page)
	_, _, page = get(t, base+"/")

	save(t, dir, "backsoon.yaml", "shop: [")
	live(t, base, page)
	status, _, page := get(t, base+"/")
	if status != 500 || !strings.Contains(page, "backsoon.yaml:1:") {
		t.Errorf("with broken settings: %d\n%s", status, page)
	}

	save(t, dir, "backsoon.yaml", strings.Replace(previewSettings, "Harbour", "Lighthouse", 1))
	live(t, base, page)
	if status, _, body := get(t, base+"/"); status != 200 || !strings.Contains(body, "Lighthouse Books") {
		t.Errorf("mended: %d\n%s", status, body)
	}
}

func TestServeFollowsTemplatesThatCome(t *testing.T) {
	dir := newSite(t)
	base := startServe(t, dir)
	_, _, page := get(t, base+"/")
	if err := os.MkdirAll(filepath.Join(dir, "templates/pages"), 0o777); err != nil {
		t.Fatal(err)
	}
	save(t, dir, "templates/pages/404.html", `{{define "title"}}Lost{{end}}{{define "main"}}Lost at sea{{end}}`)
	live(t, base, page)
	_, _, page = get(t, base+"/nowhere")
	if !strings.Contains(page, "Lost at sea") {
		t.Errorf("the site's own template isn't used: %s", page)
	}
	save(t, dir, "templates/pages/404.html", `{{define "title"}}Lost{{end}}{{define "main"}}{{.Nothing}}{{end}}`)
	live(t, base, page)
	if status, _, body := get(t, base+"/"); status != 500 || !strings.Contains(body, "templates/pages/404.html:1") {
		t.Errorf("a mistake in a template: %d\n%s", status, body)
	}
}

// A browser that still waits for news keeps nobody from stopping.
func TestServeStopsWhileSomebodyWaits(t *testing.T) {
	base := startServe(t, newSite(t))
	_, _, page := get(t, base+"/")
	resp, err := http.Get(base + livePathOf(t, page))
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, resp.Body) // until the server goes away
}

// TestServeReloadsBrowser saves a notice while a browser shows its page.
func TestServeReloadsBrowser(t *testing.T) {
	dir := newSite(t)
	base := startServe(t, dir)
	browser := openBrowser(t)
	if err := chromedp.Do(browser, chromedp.Navigate(base+"/closures/stocktake/")); err != nil {
		t.Fatal(err)
	}
	awaitShown(t, browser, "We count everything.")

	save(t, dir, "content/closures/stocktake.md", strings.Replace(previewNotice, "everything", "every single book", 1))
	awaitShown(t, browser, "We count every single book.")

	save(t, dir, "content/closures/stocktake.md", strings.Replace(previewNotice, "closes:", "closed:", 1))
	awaitShown(t, browser, "content/closures/stocktake.md:4:1")

	save(t, dir, "content/closures/stocktake.md", previewNotice)
	awaitShown(t, browser, "We count everything.")
}

// awaitShown waits until the page in the browser holds the text. While it
// reloads, the browser may give none, or an error.
func awaitShown(t *testing.T, browser context.Context, text string) {
	t.Helper()
	var shown string
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		shown, err = chromedp.Run(browser, chromedp.Evaluate[string]("document.body?.innerText ?? ''"))
		if err == nil && strings.Contains(shown, text) {
			return
		}
	}
	t.Fatalf("the browser never showed %q; it shows %q (%v)", text, shown, err)
}

// openBrowser starts a browser with a fresh profile for the time of the test.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browserPath(t)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, leave := chromedp.NewContext(ctx)
	t.Cleanup(leave)
	return ctx
}

func browserPath(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no browser to test with; install one: apt-get install chromium")
	return ""
}
