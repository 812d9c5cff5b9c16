package audit

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

//go:embed testdata/look.js
var look string

// Every kind of page is one request and quiet, is whole without a script, fits
// a narrow window, and can be read with the keyboard alone.
func TestEveryKindOfPage(t *testing.T) {
	s := newSite(t, winter, rich...)
	b := newTab(t, winter)
	watch := newWatch(b)
	for _, path := range s.kinds(t) {
		t.Run("/"+path, func(t *testing.T) {
			for _, finding := range examine(b.of(t), watch, s.base+path) {
				t.Error(finding)
			}
		})
	}
}

// examine lists what is wrong with a page.
func examine(b tab, watch *watch, address string) (findings []string) {
	b.resize(1280, 800, 1)
	watch.begin()
	b.visit(address)
	ask[any](b, look+";0")
	findings = append(findings, watch.end(address)...)
	findings = append(findings, keyboard(b)...)
	findings = append(findings, unnamed(b)...)
	findings = append(findings, narrow(b)...)
	return append(findings, unscripted(b, address)...)
}

// watch hears what a tab asks for and complains of.
type watch struct {
	mu       sync.Mutex
	requests []string
	findings []string
}

func newWatch(b tab) *watch {
	w := &watch{}
	if err := chromedp.Listen(b.ctx, w.hear); err != nil {
		b.Fatal(err)
	}
	return w
}

func (w *watch) hear(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		w.requests = append(w.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		w.findings = append(w.findings, "a script fails: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		w.findings = append(w.findings, fmt.Sprintf("a script writes to the console: %s %s", e.Type, e.Args[0].Value))
	case *log.EventEntryAdded:
		w.findings = append(w.findings, fmt.Sprintf("the browser complains: %s %s", e.Entry.Text, e.Entry.URL))
	}
}

func (w *watch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests, w.findings = nil, nil
}

// end gives what was heard: the page itself is all that may be asked for.
func (w *watch) end(address string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	findings := w.findings
	if !slices.Contains(w.requests, address) {
		findings = append(findings, "the page itself was not asked for")
	}
	for _, request := range w.requests {
		if request != address && !strings.HasPrefix(request, "data:") {
			findings = append(findings, "a second request: "+request)
		}
	}
	return findings
}

// keyboard goes through the page with Tab. The focus has to go where the eye
// goes, be seen there, and leave nothing out (WCAG 2.4.3, 2.4.7 and 2.1.1).
func keyboard(b tab) (findings []string) {
	for range 1000 {
		b.do(chromedp.KeyEvent(kb.Tab))
		wrong := ask[[]string](b, "look.step()")
		if wrong == nil {
			return append(findings, ask[[]string](b, "look.unreached()")...)
		}
		findings = append(findings, wrong...)
	}
	return append(findings, "Tab never comes to the end of the page")
}

// unnamed lists what a screen reader can come to, and has no name for (WCAG 4.1.2).
func unnamed(b tab) (findings []string) {
	for _, n := range send(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		role := axText(n.Role)
		if n.Ignored || !focusable(n) || role == "RootWebArea" || role == "generic" || axText(n.Name) != "" {
			continue
		}
		findings = append(findings, "a "+role+" without a name")
	}
	return findings
}

func focusable(n *accessibility.Node) bool {
	return slices.ContainsFunc(n.Properties, func(p *accessibility.Property) bool {
		return p.Name == accessibility.PropertyNameFocusable && string(p.Value.Value) == "true"
	})
}

func axText(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.TrimSpace(strings.Trim(string(v.Value), `"`))
}

// narrow wants no line to be longer than a window of 320 pixels (WCAG 1.4.10), or
// one of 1280 at a zoom of 200 % (1.4.4).
func narrow(b tab) (findings []string) {
	for _, window := range []struct {
		width int64
		scale float64
	}{{320, 1}, {640, 2}} {
		b.resize(window.width, 640, window.scale)
		for _, wide := range ask[[]string](b, "look.wide()") {
			findings = append(findings, fmt.Sprintf("wider than %d pixels: %s", window.width, wide))
		}
	}
	return findings
}

// unscripted wants a page to show without scripts all that it shows with them.
func unscripted(b tab, address string) (findings []string) {
	b.resize(1280, 800, 1)
	scripted := ask[[]string](b, "look.seen()")
	b.scripts(false)
	defer b.scripts(true)
	b.visit(address)
	ask[any](b, look+";0")
	plain := ask[[]string](b, "look.seen()")
	for _, part := range scripted {
		if !slices.Contains(plain, part) {
			findings = append(findings, "only with a script: "+part)
		}
	}
	for _, blank := range ask[[]string](b, "look.blank()") {
		findings = append(findings, "a time that is empty without a script: "+blank)
	}
	return findings
}

// A page with every one of the faults that the walk is to find.
func TestWalkFindsFaults(t *testing.T) {
	server := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	t.Cleanup(server.Close)
	b := newTab(t, winter)
	found := strings.Join(examine(b, newWatch(b), server.URL+"/broken.html"), "\n")
	for _, want := range []string{
		"a second request: " + server.URL + "/nowhere.png",
		"a script fails: ", "a script writes to the console: ", "the browser complains: ",
		`the focus goes back in the text, to <a href="#dark"`, `the focus jumps up on the screen, to <a href="#up"`,
		`nothing shows that the focus is on <a href="#dark"`, `Tab never comes to <a href="#caught"`,
		"a link without a name",
		`wider than 320 pixels: <p id="wide"`, `wider than 640 pixels: <p id="wider"`,
		"only with a script: h2 “Scripted”", `a time that is empty without a script: <time datetime="2026-12-24"`,
	} {
		if !strings.Contains(found, want) {
			t.Errorf("not found: %s\nfound:\n%s", want, found)
		}
	}
}

// A list that an owner writes in an update is none of updates.
func TestListInAnUpdate(t *testing.T) {
	s := newSite(t, winter, rich...)
	b := newTab(t, winter)
	b.visit(s.base + "closures/markup/")
	const beads = `[...document.querySelectorAll(%s)].filter(li => getComputedStyle(li, "::before").content != "none").length`
	if got := ask[int](b, fmt.Sprintf(beads, `".updates > li"`)); got != 1 {
		t.Errorf("%d updates have a bead, instead of one", got)
	}
	if got := ask[int](b, fmt.Sprintf(beads, `".updates .prose li"`)); got > 0 {
		t.Errorf("%d items of a list within it have one, too", got)
	}
}
