package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	keyboard "github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/backsoon/backsoon/internal/notice"
)

// runningDemo is `backsoon demo` as somebody has started it.
type runningDemo struct {
	screen string // its address, with a trailing slash
	dir    string // the scratch copy of the sample shop
}

// startDemo runs the demo until the test ends. The screen's address is the first
// thing that it prints.
func startDemo(t *testing.T) runningDemo {
	t.Helper()
	scratch := t.TempDir()
	cmd := exec.Command("backsoon", "demo")
	cmd.Dir, cmd.Env, cmd.Stderr = scratch, []string{"TMPDIR=" + scratch}, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := bufio.NewReader(out)
	var reading sync.WaitGroup
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		reading.Wait()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demo ended badly: %v", err)
		}
	})
	line, err := printed.ReadString('\n')
	address := regexp.MustCompile(`^Open (http://127\.0\.0\.1:\d+/) `).FindStringSubmatch(line)
	dirs, _ := filepath.Glob(filepath.Join(scratch, "backsoon-demo-*"))
	if address == nil || len(dirs) != 1 {
		t.Fatalf("the demo's first words are %q (%v), its folders %q", line, err, dirs)
	}
	reading.Go(func() { io.Copy(io.Discard, printed) })
	for end := time.Now().Add(time.Minute); !exists(filepath.Join(dirs[0], "public", "index.html")); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the demo makes no pages")
		}
	}
	return runningDemo{address[1], dirs[0]}
}

func (d runningDemo) file(slug string) string {
	return filepath.Join(d.dir, filepath.FromSlash(notice.Path(slug)))
}

// traffic is what a browser asked for, and what went wrong in it.
type traffic struct {
	mu    sync.Mutex
	hosts map[string]bool
	wrong []string
}

// listen keeps an eye on the browser's page.
func (f *traffic) listen(t *testing.T, browser context.Context) {
	t.Helper()
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	f.hosts = map[string]bool{}
	err := chromedp.Listen(browser, func(event any) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if e, ok := event.(*network.EventRequestWillBeSent); ok {
			if u, err := url.Parse(e.Request.URL); err == nil && u.Scheme != "data" {
				f.hosts[u.Hostname()] = true
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for m, err := range chromedp.Console(browser) {
			if err != nil {
				return
			}
			f.note(m)
		}
	}()
}

// note takes down what went wrong. A closed checkout is answered 503, as it
// should be, and browsers remark on that.
func (f *traffic) note(m chromedp.ConsoleMessage) {
	closed := m.Source == "network" && strings.Contains(m.URL, "/checkout") && strings.Contains(m.Text, "503")
	if closed || (m.Type != chromedp.ConsoleError && m.Type != chromedp.ConsoleWarning && m.Type != chromedp.ConsoleException) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = append(f.wrong, fmt.Sprintf("%s: %s (%s)", m.Type, m.Text, m.URL))
}

func (f *traffic) check(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.hosts) != 1 || !f.hosts["127.0.0.1"] {
		t.Errorf("the page asked %v", f.hosts)
	}
	if len(f.wrong) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(f.wrong, "\n"))
	}
}

// openScreen shows the demo's screen in a browser of the size.
func openScreen(t *testing.T, d runningDemo, width, height int64) (browser context.Context, seen *traffic) {
	t.Helper()
	browser, seen = openBrowser(t), &traffic{}
	seen.listen(t, browser)
	if err := chromedp.Do(browser, chromedp.EmulateViewport(width, height), chromedp.Navigate(d.screen)); err != nil {
		t.Fatal(err)
	}
	return browser, seen
}

// awaitIn waits until a part of the screen shows the text.
func awaitIn(t *testing.T, browser context.Context, part, text string) {
	t.Helper()
	awaitTrue(t, browser, fmt.Sprintf("document.querySelector(%q).textContent.replace(/\\s+/g, ' ').includes(%q)", part, text))
}

// awaitTrue waits until the expression is true in the page.
func awaitTrue(t *testing.T, browser context.Context, expression string) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var is bool
		if is, err = chromedp.Run(browser, chromedp.Evaluate[bool](expression)); err == nil && is {
			return
		}
	}
	shown, _ := chromedp.Run(browser, chromedp.Evaluate[string]("document.body.innerText"))
	t.Fatalf("this never came true: %s (%v)\nThe screen shows %s", expression, err, shown)
}

// awaitPane waits until a frame of the screen, which is a page of its own, shows
// the text.
func awaitPane(t *testing.T, browser context.Context, pane, text string) {
	t.Helper()
	var shown string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		shown = paneText(browser, pane)
		if strings.Contains(shown, text) {
			return
		}
	}
	t.Fatalf("the pane %s never showed %q but %q", pane, text, shown)
}

func paneText(browser context.Context, pane string) string {
	ctx, cancel := context.WithTimeout(browser, time.Second) // the frame may go while it is read
	defer cancel()
	frames, err := chromedp.Run(ctx, chromedp.Nodes(chromedp.CSS("#"+pane+" iframe")))
	if err != nil {
		return ""
	}
	text, _ := chromedp.Run(ctx, chromedp.TextContent(chromedp.CSS("main"), chromedp.FromNode(frames[len(frames)-1])))
	return strings.Join(strings.Fields(text), " ")
}

func click(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

// selectText selects all of the notice: what is typed next takes its place.
func selectText(t *testing.T, browser context.Context) {
	t.Helper()
	if _, err := chromedp.Run(browser, chromedp.Evaluate[any](`document.querySelector("#text").focus(), document.querySelector("#text").select()`)); err != nil {
		t.Fatal(err)
	}
}

// typed puts text where the cursor is, as typing does.
func typed(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, keyboard.InsertText, keyboard.InsertTextParams{Text: text})
		return err
	})
}

func do(t *testing.T, browser context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(browser, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// TestDemoScreen closes and reopens the shop as a newcomer does, in a browser: by
// a text with a mistake in it first.
func TestDemoScreen(t *testing.T) {
	d := startDemo(t)
	browser, seen := openScreen(t, d, 1440, 900)
	awaitPane(t, browser, "status", "Closed for the winter break")
	awaitPane(t, browser, "checkout", "Pay €14.50")

	do(t, browser, click(".new summary"), chromedp.SendKeys(chromedp.CSS("#title"), "Burst pipe"), click(".new button"))
	awaitIn(t, browser, "#editor label", "content/closures/burst-pipe.md")
	now := time.Now().In(lisbon(t)).Format("2006-01-02 15:04")
	text := "---\ntitle: Burst pipe\ncloses: " + now + "\npublished: 2026-01-01\n---\nThe cellar is wet.\n"
	selectText(t, browser)
	do(t, browser, typed(strings.Replace(text, now, "noon", 1)))
	awaitIn(t, browser, "#state", "Not saved yet")
	do(t, browser, click(".save button"))
	awaitIn(t, browser, "#mistakes", `content/closures/burst-pipe.md:3:9 closes: "noon" is not a time; write`)
	awaitIn(t, browser, "#front", "Harbour Books is open")

	awaitIn(t, browser, "#mails", "Closed for the winter break") // announced when the demo began
	const lettersLoaded = `performance.getEntriesByType("resource").filter(got => got.name.endsWith("/html")).length`
	awaitTrue(t, browser, lettersLoaded+` === 0`)
	do(t, browser, click("#mails summary"))
	awaitTrue(t, browser, lettersLoaded+` === 1`)
	do(t, browser, click("#mistakes a"), typed(now), click(".save button"))
	awaitIn(t, browser, "#front", "Harbour Books is closed until further notice")
	awaitPane(t, browser, "checkout", "The checkout is closed")
	awaitPane(t, browser, "status", "Burst pipe")
	awaitIn(t, browser, "#lines", "checkout off at web until further notice: burst-pipe")
	awaitIn(t, browser, "#mails", "Burst pipe")
	awaitTrue(t, browser, `[...document.querySelectorAll("#mails li")].filter(mail => mail.textContent.includes("Harbour Books: Burst pipe")).length === 3 && document.querySelector("#mistakes").textContent.trim() === ""`)
	awaitTrue(t, browser, `document.querySelectorAll("#mails [open]").length === 1`) // new mail has not closed it
	holds(t, d.file("burst-pipe"), text)

	do(t, browser, click("#reopen button"))
	awaitIn(t, browser, "#front", "Harbour Books is open")
	awaitPane(t, browser, "checkout", "Pay €14.50")
	awaitIn(t, browser, "#lines", "checkout on at web: burst-pipe")
	awaitTrue(t, browser, `document.querySelector("#text").value.includes("\nreopened: ")`)
	seen.check(t)
}

// New mail comes on top of what is there, which stays as it is, with the focus.
func TestMailboxLooksByItself(t *testing.T) {
	d := startDemo(t)
	browser, seen := openScreen(t, d, 1000, 700)
	mailbox, err := chromedp.Run(browser, chromedp.Evaluate[string](`document.querySelector(".mail .head a").href`))
	if err != nil {
		t.Fatal(err)
	}
	do(t, browser, chromedp.Navigate(mailbox))
	awaitIn(t, browser, "#count", "3 mails")
	awaitTrue(t, browser, `(document.querySelector("#mail-1 a").focus(), true)`)
	if out, err := exec.Command("backsoon", "--site", d.dir, "close", "Burst pipe").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	awaitIn(t, browser, "#count", "6 mails")
	awaitTrue(t, browser, `document.querySelector("#mails").firstElementChild.id === "mail-6" && document.querySelectorAll("#mails li").length === 6`)
	awaitTrue(t, browser, `document.activeElement === document.querySelector("#mail-1 a") && document.title === "Mailbox (6)"`)
	seen.check(t)
}

func lisbon(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func holds(t *testing.T, file, want string) {
	t.Helper()
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", file, got, err, want)
	}
}

// TestScreenKeepsUnsavedText changes files behind the back of somebody who writes.
func TestScreenKeepsUnsavedText(t *testing.T) {
	d := startDemo(t)
	browser, _ := openScreen(t, d, 1440, 900)
	awaitIn(t, browser, "#lines", "winter-break accepted")
	selectText(t, browser)
	do(t, browser, typed("My own words"))

	src, err := os.ReadFile(d.file("winter-break"))
	if err != nil {
		t.Fatal(err)
	}
	save(t, d.dir, notice.Path("winter-break"), string(src)+"\nAnother's words.\n")
	save(t, d.dir, notice.Path("flood"), "---\ntitle: Flood\ncloses: 2026-01-01 10:00\n---\nWet.\n")
	awaitIn(t, browser, "#notices", "Flood") // which comes first now
	if mine, err := chromedp.Run(browser, chromedp.Value(chromedp.CSS("#text"))); err != nil || mine != "My own words" {
		t.Fatalf("the text became %q (%v)", mine, err)
	}
	do(t, browser, click(".save button"))
	awaitIn(t, browser, "#mistakes", "The file has changed since you began")
	holds(t, d.file("winter-break"), string(src)+"\nAnother's words.\n")
	do(t, browser, click(".save button"))
	awaitIn(t, browser, "#mistakes", "content/closures/winter-break.md:1:1")
	holds(t, d.file("winter-break"), "My own words")
}

// TestScreenEvents saves a notice while somebody listens.
func TestScreenEvents(t *testing.T) {
	d := startDemo(t)
	resp, err := http.DefaultClient.Do(mustRequest(t, d.screen+"events"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var first, now map[string]string
	stream := bufio.NewScanner(resp.Body)
	for stream.Scan() && (first == nil || now["checkout"] == first["checkout"] || now["status"] == first["status"]) {
		text, isData := strings.CutPrefix(stream.Text(), "data: ")
		if !isData {
			continue
		}
		now = nil // or it would be added to
		if err := json.Unmarshal([]byte(text), &now); err != nil {
			t.Fatal(err)
		}
		if first == nil && now["checkout"] != "0" { // the shop has been told that it is open
			first = now
			save(t, d.dir, notice.Path("flood"), "---\ntitle: Flood\ncloses: 2026-01-01 10:00\n---\nWet.\n")
		}
	}
	if first == nil || now["notices"] == first["notices"] || now["log"] == first["log"] {
		t.Errorf("the marks were %v and became %v (%v)", first, now, stream.Err())
	}
}

// screenClient posts as the screen's own forms do, without a script.
type screenClient struct {
	t *testing.T
	d runningDemo
}

// post gives the answer after redirects. change makes the request another one
// than a browser would send from the screen itself.
func (c screenClient) post(path string, form url.Values, change func(*http.Request)) (status int, page string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.d.screen+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", strings.TrimSuffix(c.d.screen, "/"))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if change != nil {
		change(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

var versionField = regexp.MustCompile(`name="version" value="([^"]*)"`)

// version is the one of the file that a page shows.
func version(t *testing.T, page string) string {
	t.Helper()
	m := versionField.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no version in %s", page)
	}
	return m[1]
}

// TestScreenWithoutScript does it all with forms alone.
func TestScreenWithoutScript(t *testing.T) {
	c := screenClient{t, startDemo(t)}
	status, page := c.post("close", url.Values{"of": {"Burst <pipe>"}}, nil)
	for _, want := range []string{`href="/?notice=burst-pipe" aria-current="true"`, "Burst &lt;pipe&gt;", "in force until further notice",
		`<button name="of" value="burst-pipe"`, "$ backsoon close &#34;Burst &lt;pipe&gt;&#34;", "Online shop: closed until further notice (burst-pipe)"} {
		if status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("after close: %d, no %q in\n%s", status, want, page)
		}
	}
	text := "---\r\ntitle: Burst pipe\r\ncloses: 2026-01-01 10:00\r\nupdate: none\r\n---\r\nWet.\r\n" // as forms send it
	_, page = c.post("notices/burst-pipe", url.Values{"text": {text}, "version": {version(t, page)}}, nil)
	holds(t, c.d.file("burst-pipe"), strings.ReplaceAll(text, "\r", ""))
	if !strings.Contains(page, `content/closures/burst-pipe.md:4:1</a> &#34;update&#34; is not a key here`) {
		t.Errorf("after a mistake:\n%s", page)
	}
	_, page = c.post("reopen", url.Values{"of": {"winter-break"}, "notice": {"burst-pipe"}}, nil)
	if !strings.Contains(page, "backsoon: reopen: winter-break is not closed yet; cancel it with") || !strings.Contains(page, `burst-pipe" aria-current`) {
		t.Errorf("after reopening what isn't closed:\n%s", page)
	}
}

// TestScreenNeverUndoes saves a text that was begun on an older file.
func TestScreenNeverUndoes(t *testing.T) {
	c := screenClient{t, startDemo(t)}
	status, page := c.post("notices/winter-break", url.Values{"text": {"My <words>"}, "version": {"older"}}, nil)
	if status != http.StatusConflict || !strings.Contains(page, "My &lt;words&gt;</textarea>") || !strings.Contains(page, "Save once more") {
		t.Errorf("an older text: %d\n%s", status, page)
	}
	crlf := "---\r\ntitle: Closed for the winter break\r\ncloses: 2026-12-24\r\n---\r\nSoon.\r\n"
	save(t, c.d.dir, notice.Path("winter-break"), crlf)
	_, page = c.post("notices/winter-break", url.Values{"version": {"older"}}, nil)
	c.post("notices/winter-break", url.Values{"text": {crlf + "More.\r\n"}, "version": {version(t, page)}}, nil)
	holds(t, c.d.file("winter-break"), crlf+"More.\r\n")
}

// TestScreenKeepsStrangersOut posts as a page from elsewhere would, and to names
// that are no notice's.
func TestScreenKeepsStrangersOut(t *testing.T) {
	c := screenClient{t, startDemo(t)}
	before := filesIn(t, c.d.dir)
	elsewhere := func(header, value string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Origin")
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set(header, value)
		}
	}
	form := url.Values{"of": {"Burst pipe"}, "text": {"x"}}
	for name, change := range map[string]func(*http.Request){
		"another site":           elsewhere("Sec-Fetch-Site", "cross-site"),
		"another port":           elsewhere("Sec-Fetch-Site", "same-site"),
		"an older browser":       elsewhere("Origin", "http://elsewhere.example"),
		"a page without a name":  elsewhere("Origin", "null"),
		"a name that leads here": func(r *http.Request) { r.Host = "elsewhere.example:8090" },
		"that name as the origin": func(r *http.Request) {
			r.Host = "elsewhere.example"
			r.Header.Set("Origin", "http://elsewhere.example")
		},
	} {
		for _, path := range []string{"close", "new", "reopen", "notices/winter-break"} {
			if status, page := c.post(path, form, change); status != http.StatusForbidden && status != http.StatusMisdirectedRequest {
				t.Errorf("%s posts to %s: %d %s", name, path, status, page)
			}
		}
	}
	for _, slug := range []string{"..%2f..%2fbacksoon", "%2e%2e", ".winter-break", "winter-break.md", "Winter", "a%00b", strings.Repeat("a", 81)} {
		if status, _ := c.post("notices/"+slug, form, nil); status != http.StatusNotFound {
			t.Errorf("a text for %s: %d", slug, status)
		}
	}
	if status, _ := c.post("notices/winter-break", url.Values{"text": {strings.Repeat("x", 2<<20)}}, nil); status != http.StatusRequestEntityTooLarge {
		t.Errorf("2 MiB: %d", status)
	}
	if after := filesIn(t, c.d.dir); len(after) == 0 || !slices.Equal(before, after) {
		t.Errorf("files came or went: %q, before %q", after, before)
	}
}

// filesIn are the site's own files, in and around the folder of the notices.
func filesIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "*.yaml", "content/*", "content/closures/*", "content/closures/.*"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, names...)
	}
	return files
}

func TestPaneLinks(t *testing.T) {
	public := t.TempDir()
	const page = `<a href="history/index.html">Past</a> <a class="x" href="https://shop.example/">Shop</a> <a href="http://127.0.0.1:8000/feed.xml">Feed</a>`
	save(t, public, "index.html", page)
	handler := statusPages(public, "http://127.0.0.1:8000/")
	for dest, want := range map[string]string{
		"document": page,
		"iframe":   strings.Replace(page, `.example/"`, `.example/" target="_blank"`, 1),
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Sec-Fetch-Dest", dest)
		handler.ServeHTTP(w, r)
		if got := w.Body.String(); got != want {
			t.Errorf("in a %s: %s, want %s", dest, got, want)
		}
	}
}
