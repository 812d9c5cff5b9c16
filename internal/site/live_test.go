package site

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/backsoon/backsoon/internal/notice"
)

// window is a tab in which a site is read, by a clock that a test sets.
type window struct {
	*testing.T
	tab   context.Context
	files Files
	base  string

	mu        sync.Mutex
	asked     []string // every request
	complaint []string // what the browser's console says
}

// setClock stands in for the browser's: 0 until a test sets it.
const setClock = `Date.now = () => +(sessionStorage.clock ?? 0)`

// newWindow has the site's files served, under a policy that lets nothing in but
// what is written into the page.
func newWindow(t *testing.T, in sample) *window {
	t.Helper()
	w := &window{T: t, tab: newTab(t)}
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(server.Close)
	w.base = server.URL + "/open/"
	w.files = build(t, in)
	if err := chromedp.Listen(w.tab, w.hear); err != nil {
		t.Fatal(err)
	}
	call(w, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: setClock})
	w.visit("404.html") // sessionStorage belongs to a site
	return w
}

// call gives the browser a command, and what comes of it.
func call[P, R any](w *window, command cdp.Command[P, R], params P) R {
	w.Helper()
	result, err := chromedp.Call(w.tab, command, params)
	if err != nil {
		w.Fatal(err)
	}
	return result
}

func (w *window) hear(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		w.complaint = append(w.complaint, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		w.complaint = append(w.complaint, fmt.Sprint(e.Type, e.Args))
	case *log.EventEntryAdded:
		w.complaint = append(w.complaint, e.Entry.Text)
	}
}

var inline = regexp.MustCompile(`(?s)<(style|script data-[^>]*)>(.*?)</(?:style|script)>`)

func (w *window) serve(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.asked = append(w.asked, r.Host+r.URL.Path)
	w.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, "/open/")
	content, ok := w.files[name]
	if !ok {
		http.NotFound(out, r)
		return
	}
	policy := "default-src 'none'; img-src data:; base-uri 'none'"
	for _, m := range inline.FindAllSubmatch(content, -1) {
		kind, _, _ := strings.Cut(string(m[1]), " ")
		policy += "; " + kind + "-src '" + hashOf(m[2]) + "'"
	}
	out.Header().Set("Content-Security-Policy", policy)
	out.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	_, _ = out.Write(content)
}

// hashOf is how a Content-Security-Policy names a script:
// https://www.w3.org/TR/CSP3/#grammardef-hash-source.
func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (w *window) visit(name string) {
	w.Helper()
	if err := chromedp.Do(w.tab, chromedp.Navigate(w.base+name)); err != nil {
		w.Fatal(err)
	}
}

// at sets the clock, and has the page look at it as after a sleep.
func (w *window) at(moment string) {
	w.Helper()
	run[any](w.T, w.tab, fmt.Sprintf(`sessionStorage.clock = %d; document.dispatchEvent(new Event("visibilitychange"))`, at(w, moment).UnixMilli()))
}

// text is what is to be read at the places that the selector chooses, in one line.
func (w *window) text(selector string) string {
	w.Helper()
	return run[string](w.T, w.tab, `[...document.querySelectorAll("`+selector+`")].map((e) => e.innerText).join(" ").replace(/\s+/g, " ").trim()`)
}

func (w *window) want(selector, text string) {
	w.Helper()
	if got := w.text(selector); got != text {
		w.Errorf("%s: %q, want %q", selector, got, text)
	}
}

// quiet wants nothing to have been asked for but pages, and nothing to complain of.
func (w *window) quiet() {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.complaint) > 0 {
		w.Errorf("the browser complains: %q", w.complaint)
	}
	for _, address := range w.asked {
		if !strings.HasPrefix("http://"+address, w.base) || !strings.HasSuffix(address, ".html") {
			w.Errorf("asked for %s", address)
		}
	}
}

// ahead is a site with one closure that lies ahead: from Thu 31 December, 18:00,
// to Sat 2 January, 09:00.
func ahead(t *testing.T, change func(*notice.Notice)) sample {
	t.Helper()
	in := input(t, "2026-12-29 11:00")
	n := &notice.Notice{Slug: "c", Title: "New Year", Published: at(t, "2026-12-01 09:00"), Closes: at(t, "2026-12-31 18:00"), Reopens: at(t, "2027-01-02 09:00")}
	if change != nil {
		change(n)
	}
	in.Notices = []*notice.Notice{n}
	return in
}

func TestSignTurnsByItself(t *testing.T) {
	const answer, label = ".sign .answer", ".entries .label"
	w := newWindow(t, ahead(t, nil))
	for _, page := range []string{"index.html", "storefronts/web/index.html"} {
		w.at("2026-12-31 17:59")
		w.visit(page)
		w.want(answer, "Open. Closing Thu 31 December, 18:00 (Lisbon)")
		w.want(".until", "in 1 minute")
		w.at("2026-12-31 18:00")
		w.want(answer, "Closed. Reopens Sat 2 January, 09:00 (Lisbon)")
		w.want(label, "Closed. Reopens Sat 2 January, 09:00 (Lisbon)")
		w.want(".until", "in 39 hours")
		if title := run[string](t, w.tab, "document.title"); title != "Closed. Reopens Sat 2 January, 09:00 (Lisbon) · Harbour Books" {
			t.Errorf("the tab says %q", title)
		}
		if colour := run[string](t, w.tab, `document.querySelector(".sign").className`); colour != "sign closed" {
			t.Errorf("the sign is a %q", colour)
		}
		w.at("2027-01-02 09:00")
		w.want(answer, "Open")
		w.want(label, "Over. Reopened Sat 2 January, 09:00 (Lisbon)")
		w.at("2026-12-31 20:00") // a clock that was put right
		w.want(answer, "Closed. Reopens Sat 2 January, 09:00 (Lisbon)")
	}
	w.at("2027-01-03 12:00")
	w.visit("closures/c/index.html") // a copy from before
	w.want(answer, "Over. Reopened Sat 2 January, 09:00 (Lisbon)")
	w.quiet()
}

// The page waits for its moment by itself, too: nobody has to look away and back.
func TestSignTurnsWhileLookedAt(t *testing.T) {
	w := newWindow(t, ahead(t, nil))
	w.at("2026-12-31 17:59")
	run[any](t, w.tab, fmt.Sprintf(`sessionStorage.clock = %d`, at(t, "2026-12-31 18:00").UnixMilli()-50))
	w.visit("index.html")
	w.want(".sign .answer", "Open. Closing Thu 31 December, 18:00 (Lisbon)")
	run[any](t, w.tab, fmt.Sprintf(`sessionStorage.clock = %d`, at(t, "2026-12-31 18:00").UnixMilli()))
	for end := time.Now().Add(20 * time.Second); !strings.HasPrefix(w.text(".sign .answer"), "Closed."); {
		if time.Now().After(end) {
			t.Fatal("the sign never turned")
		}
	}
}

// No clock opens what is not ready, or what the server says is late.
func TestSignNeverOpensWhatIsDelayed(t *testing.T) {
	const delayed = "Reopening delayed. It was planned for Sat 2 January, 09:00 (Lisbon)"
	in := ahead(t, func(n *notice.Notice) { n.Reopening = []notice.Step{{Name: "stock counted"}} })
	for _, built := range []string{"2026-12-29 11:00", "2027-01-01 11:00", "2027-01-02 11:00"} {
		in.Now = at(t, built).Time
		w := newWindow(t, in)
		for _, page := range []string{"index.html", "closures/c/index.html"} {
			w.at("2027-01-02 09:00")
			w.visit(page)
			w.want(".sign .answer", delayed)
			w.at("2027-03-01 09:00")
			w.want(".sign .answer", delayed)
		}
	}
}

func TestReadersOwnTimeIsAdded(t *testing.T) {
	w := newWindow(t, ahead(t, nil))
	w.at("2026-12-29 12:00")
	for zone, yours := range map[string]string{
		"Europe/Lisbon": "", "Europe/London": "", // the same clocks
		"Asia/Tokyo":       " Your time: Fri 1 January at 03:00",
		"America/New_York": " Your time: 13:00",
	} {
		call(w, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone})
		w.visit("index.html")
		got := w.text(".sign .answer")
		if want := "Open. Closing Thu 31 December, 18:00 (Lisbon)" + yours; got != want {
			t.Errorf("in %s: %q, want %q", zone, got, want)
		}
	}
	w.quiet()
}

func TestTodayMovesOn(t *testing.T) {
	w := newWindow(t, ahead(t, nil))
	for moment, want := range map[string]string{"2026-12-29 23:59": "December 2026 29", "2026-12-30 00:00": "December 2026 30", "2027-02-03 12:00": "February 2027 3", "2028-01-01 00:00": ""} {
		w.at(moment)
		w.visit("index.html")
		got := run[string](t, w.tab, `[...document.querySelectorAll(".today")].map((d) => d.closest("table").caption.textContent + " " + d.textContent).join()`)
		if got != want {
			t.Errorf("%s: today is %q", moment, got)
		}
	}
}

func TestDarkAndLight(t *testing.T) {
	w := newWindow(t, input(t, "2026-12-29 11:00"))
	seen := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		w.at("2026-12-29 11:00")
		w.visit("index.html")
		colours := run[string](t, w.tab, `["body", ".sign.closed", ".whole", "a"].map((s) => getComputedStyle(document.querySelector(s))).map((s) => s.color + s.backgroundColor).join()`)
		if seen[colours] != "" {
			t.Errorf("%s looks as %s does: %s", scheme, seen[colours], colours)
		}
		seen[colours] = scheme
	}
}

// Where the reader's device sets the colours, what is drawn within a mark has that
// of the paper: the marks stay as different as they are.
func TestMarksInForcedColours(t *testing.T) {
	w := newWindow(t, input(t, "2026-12-29 11:00"))
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}})
	w.at("2026-12-29 11:00")
	w.visit("index.html")
	got := run[string](t, w.tab, `getComputedStyle(document.querySelector(".sign.closed .mark path")).stroke`)
	if paper := run[string](t, w.tab, "getComputedStyle(document.body).backgroundColor"); got != paper {
		t.Errorf("the line in a mark is %s, the paper %s", got, paper)
	}
}

func TestPrintsOnOneSheet(t *testing.T) {
	w := newWindow(t, ahead(t, nil))
	w.at("2026-12-29 12:00")
	w.visit("index.html")
	sheets := call(w, page.PrintToPDF, page.PrintToPDFParams{PaperWidth: 8.27, PaperHeight: 11.69}) // A4
	if n := strings.Count(string(sheets.Data), "/Type /Page\n"); n != 1 {
		t.Errorf("%d sheets", n)
	}
}

func TestLanguageSwitch(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Config.Languages = []string{"en", "pt", "ar"}
	w := newWindow(t, in)
	w.at("2026-12-29 11:00")
	for _, page := range []string{"index.html", "closures/winter-break/index.html", "history/index.html"} {
		w.visit(page)
		for _, lang := range []string{"pt", "ar", "en"} {
			_, err := chromedp.RunResponse(w.tab, chromedp.Click(chromedp.CSS(`.languages a[hreflang=`+lang+`]`)))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(w.base+lang+"/"+page, "/en/", "/", 1)
			if got := run[string](t, w.tab, "location.href"); got != want || run[string](t, w.tab, "document.documentElement.lang") != lang {
				t.Errorf("the switch to %s leads to %s", lang, got)
			}
		}
	}
	w.quiet()
}

// Everything is there without a script: it only adds.
func TestWholeWithoutScript(t *testing.T) {
	w := newWindow(t, input(t, "2026-12-29 11:00"))
	for _, page := range []string{"index.html", "closures/winter-break/index.html", "history/index.html"} {
		w.at("2026-12-29 11:00")
		w.visit(page)
		with := strings.ReplaceAll(w.text("body"), w.text(".until"), "")
		call(w, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		w.visit(page)
		if without := w.text("body"); len(without) < 100 || len(without) < len(with)-40 {
			t.Errorf("%s without a script: %q\nwith: %q", page, without, with)
		}
		call(w, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
	}
	w.quiet()
}

func TestNothingStandsOut(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Config.Languages = []string{"en", "de", "ar"}
	in.Notices[0].Title = "Donaudampfschifffahrtsgesellschaftskapitänsmützenausverkauf und mehr"
	w := newWindow(t, in)
	w.at("2026-12-29 11:00")
	for _, width := range []int64{320, 390, 640, 1280} { // 640 is 1280 at 200 %
		if err := chromedp.Do(w.tab, chromedp.EmulateViewport(width, 800)); err != nil {
			t.Fatal(err)
		}
		for _, page := range []string{"index.html", "de/index.html", "ar/index.html", "closures/winter-break/index.html", "history/2026/index.html"} {
			w.visit(page)
			if got := run[int64](t, w.tab, "document.documentElement.scrollWidth"); got > width {
				t.Errorf("%s is %d wide where there are %d", page, got, width)
			}
		}
	}
}

// docs/themes.md names the hash, for who serves the pages under a policy.
func TestScriptIsSmallAndKnown(t *testing.T) {
	index := build(t, input(t, "2026-12-29 11:00"))["index.html"]
	m := regexp.MustCompile(`(?s)<script data-[^>]*>(.*?)</script>`).FindSubmatch(index)
	if m == nil {
		t.Fatal("no script")
	}
	if len(m[0]) >= 2000 {
		t.Errorf("the script has %d bytes", len(m[0]))
	}
	checkDocs(t, hashOf(m[1]))
}

// checkDocs wants docs/themes.md to say the words.
func checkDocs(t *testing.T, words string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/themes.md")
	if err != nil || !strings.Contains(string(text), words) {
		t.Errorf("docs/themes.md does not say %s (%v)", words, err)
	}
}
