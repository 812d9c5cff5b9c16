package site

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/templates"
)

func TestBannerIsSmall(t *testing.T) {
	if script := build(t, input(t, "2026-12-29 11:00"))["banner.js"]; len(script) >= 3000 {
		t.Errorf("banner.js has %d bytes", len(script))
	}
}

func TestBannerMistakesNameFileAndLine(t *testing.T) {
	for want, theme := range map[string]fstest.MapFS{
		"templates/pages/banner.js:2:":                    {"pages/banner.js": {Data: []byte("let a = 1;\nlet = =")}, "pages/banner.css": {}},
		"templates/pages/banner.css: file does not exist": {"pages/banner.js": {}},
	} {
		if _, err := bannerScript(theme); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s…", err, want)
		}
	}
}

// foreign is a page of the shop's own, which is not ours: it is served from
// elsewhere, and its policy allows no more than our script and what that asks for.
type foreign struct {
	*testing.T
	tab    context.Context
	status *httptest.Server // public/
	shop   *httptest.Server

	mayMove float64 // how far the page may, as browsers count it: https://web.dev/articles/cls

	files  atomic.Pointer[Files] // nil: the status page is down
	orders atomic.Int64          // how often the checkout was reached
	mu     sync.Mutex
	asked  []string // of either, and of whom
}

// shopPage has a banner with these attributes, in a page in this language.
const shopPage = `<!DOCTYPE html>
<html lang="%s"><head><title>Books</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/shop.css">
<script defer src="%s/banner.js" %s></script></head>
<body><h1>Books</h1><p>Two for one.</p>
<form action="/checkout"><button id="checkout" aria-describedby="terms">Check out</button></form> <span id="terms">Terms apply.</span>
<p><a id="express" href="/checkout">Express checkout</a></p><p><button class="sold-out" disabled>Sold out</button></p>
<p>The end of the page.</p></body></html>`

// watching keeps, from before the page's first script, what must not happen, and
// hands the minute to the test.
const watching = `
window.shifts = [];
window.refused = [];
new PerformanceObserver((list) => shifts.push(...list.getEntries().map((e) => e.value))).observe({type: "layout-shift", buffered: true});
document.addEventListener("securitypolicyviolation", (e) => refused.push(e.violatedDirective + " " + e.blockedURI));
window.setInterval = (look, ms) => { window.minute = look; window.every = ms; };
`

// newForeign opens a tab, and has both sites served.
func newForeign(t *testing.T) *foreign {
	t.Helper()
	f := &foreign{T: t, tab: newTab(t)}
	f.status = httptest.NewServer(http.HandlerFunc(f.serveStatus))
	t.Cleanup(f.status.Close)
	f.shop = httptest.NewServer(http.HandlerFunc(f.serveShop))
	t.Cleanup(f.shop.Close)
	f.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watching})
		return err
	}))
	return f
}

func (f *foreign) note(r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r.Host+r.URL.Path)
	if r.Header.Get("Cookie") != "" {
		f.Errorf("a cookie for %s", r.URL)
	}
}

func (f *foreign) serveStatus(w http.ResponseWriter, r *http.Request) {
	f.note(r)
	files := f.files.Load()
	if files == nil {
		http.Error(w, "<h1>down</h1>", http.StatusBadGateway)
		return
	}
	w.Header().Set("Cache-Control", "max-age=86400") // worse than anybody would set
	w.Header().Set("Content-Type", "text/javascript")
	_, _ = w.Write((*files)[strings.TrimPrefix(r.URL.Path, "/open/")])
}

// serveShop answers with the page that the address describes.
func (f *foreign) serveShop(w http.ResponseWriter, r *http.Request) {
	f.note(r)
	policy := fmt.Sprintf("default-src 'none'; script-src %[1]s; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'", f.status.URL)
	w.Header().Set("Content-Security-Policy", policy)
	switch r.URL.Path {
	case "/checkout":
		f.orders.Add(1)
	case "/shop.css": // as hostile as a shop's style may be
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, "div { display: none; position: static; margin: 5em } button { font-size: 20px } body { margin: 0 }")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=iso-8859-1") // as old shops are
	fmt.Fprintf(w, shopPage, r.URL.Query().Get("lang"), f.status.URL+"/open", r.URL.Query().Get("with"))
}

func (f *foreign) do(actions ...chromedp.Action[chromedp.Void]) {
	f.Helper()
	if err := chromedp.Do(f.tab, actions...); err != nil {
		f.Fatal(err)
	}
}

// publish puts the site's files in place.
func (f *foreign) publish(in sample) {
	f.Helper()
	files := build(f, in)
	f.files.Store(&files)
}

// open shows the page with a banner that has the attributes, and waits until the
// banner has had its first answer.
func (f *foreign) open(lang, with string) {
	f.Helper()
	address := f.shop.URL + "/?lang=" + lang + "&with=" + strings.NewReplacer(" ", "+", "#", "%23").Replace(with)
	f.do(chromedp.Navigate(address))
	f.settle()
}

// settle lets a minute pass, and what the banner then does.
func (f *foreign) settle() {
	f.Helper()
	run[any](f.T, f.tab, `minute(), new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 300))`)
}

// shown is the text of the banner; empty: there is none.
func (f *foreign) shown() string {
	f.Helper()
	return run[string](f.T, f.tab, `document.querySelector("[role=region]")?.shadowRoot.querySelector("p").textContent ?? ""`)
}

func (f *foreign) want(text string) {
	f.Helper()
	if got := f.shown(); got != text {
		f.Errorf("the banner says %q, not %q", got, text)
	}
}

// truth wants the expression to be true on the page.
func (f *foreign) truth(expressions ...string) {
	f.Helper()
	for _, e := range expressions {
		if !run[bool](f.T, f.tab, "Boolean("+e+")") {
			f.Errorf("not so: %s", e)
		}
	}
}

// clean wants nothing on the page to have moved farther than it may, nothing to
// have been forbidden, no cookie, and nobody asked but the shop and the status page.
func (f *foreign) clean() {
	f.Helper()
	f.truth("document.cookie === ''")
	if refused := run[[]string](f.T, f.tab, "refused"); len(refused) > 0 {
		f.Errorf("forbidden: %q", refused)
	}
	if moved := run[float64](f.T, f.tab, "shifts.reduce((a, b) => a + b, 0)"); moved > f.mayMove {
		f.Errorf("moved by %v, and may by %v", moved, f.mayMove)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, asked := range f.asked {
		if name, ours := strings.CutPrefix("http://"+asked, f.status.URL+"/open/"); ours && name != "banner.js" && name != "banner.data.js" {
			f.Errorf("asked for %s", asked)
		}
	}
}

// tabTo presses Tab until the expression is true of where the focus is.
func (f *foreign) tabTo(expression string) {
	f.Helper()
	for range 15 {
		f.do(chromedp.KeyEvent("\t"))
		if run[bool](f.T, f.tab, `((a) => Boolean(`+expression+`))(document.activeElement?.shadowRoot?.activeElement ?? document.activeElement)`) {
			return
		}
	}
	f.Fatalf("the keyboard doesn't reach %s", expression)
}

const winterBanner = "Closed. Reopens Sat 2 January, 09:00 (Lisbon) Closed for the winter break Read more"

func TestBanner(t *testing.T) {
	for name, test := range map[string]func(*foreign){
		"shows and dismisses": testBannerShows, "disables": testBannerDisables, "outage": testBannerOutage, "languages": testBannerLanguages,
		"others": testBannerOthers, "fits": testBannerFits, "no storage": testBannerWithoutStorage,
	} {
		t.Run(name, func(t *testing.T) {
			f := newForeign(t)
			f.publish(input(t, "2026-12-29 11:00"))
			if strings.Contains(name, "disables") {
				f.mayMove = 0.1 // it makes room for the reason
			}
			test(f)
			f.clean()
		})
	}
}

func testBannerShows(f *foreign) {
	f.open("en", `data-storefront="web"`)
	f.want(winterBanner)
	f.truth(
		`document.querySelector("[role=region]").getAttribute("aria-label") === "Notice from Harbour Books"`,
		`document.querySelector("[role=region]").hasAttribute("data-nosnippet")`,
		`document.querySelector("[role=region]").shadowRoot.querySelector("p").getAttribute("role") === "status"`,
		`document.querySelector("[role=region]").shadowRoot.querySelector("a").href === "https://status.harbourbooks.example/open/closures/winter-break/"`,
		`!document.querySelector("#checkout").disabled`, // nobody asked for that
		`every === 60000`,
	)
	f.tabTo(`a.textContent === "Hide this notice"`)
	f.do(chromedp.KeyEvent("\r"))
	f.want("")
	f.truth(`document.documentElement.style.scrollPaddingBottom === ""`)
	f.settle()
	f.want("")
	f.clean()
	f.do(chromedp.Reload())
	f.settle()
	f.want("")

	later := input(f, "2026-12-29 11:00") // and now something new
	later.Notices[0].Reopens = at(f, "2027-01-04 09:00")
	f.publish(later)
	f.settle()
	f.want("Closed. Reopens Mon 4 January, 09:00 (Lisbon) Closed for the winter break Read more")
}

func testBannerDisables(f *foreign) {
	const why = "You cannot order now. Closed. Reopens Sat 2 January, 09:00 (Lisbon)."
	f.open("en", `data-storefront="web" data-disable="#checkout, #express, .sold-out"`)
	described := func(selector string) string {
		return run[string](f.T, f.tab, `(document.querySelector("`+selector+`").getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent).join(" ")`)
	}
	f.truth(`checkout.disabled`, `document.querySelector(".sold-out").disabled`, `express.getAttribute("aria-disabled") === "true"`)
	if got := described("#checkout"); got != "Terms apply. "+why {
		f.Errorf("the button is described by %q", got)
	}
	f.truth(`checkout.nextSibling.textContent === "`+why+`"`, `checkout.nextSibling.hasAttribute("data-nosnippet")`,
		`checkout.nextSibling.getBoundingClientRect().top >= checkout.getBoundingClientRect().bottom - 1`,
		`terms.getBoundingClientRect().top >= checkout.nextSibling.getBoundingClientRect().bottom`)

	f.tabTo(`a.id === "express"`)
	f.do(chromedp.KeyEvent("\r"))
	run[any](f.T, f.tab, `express.click(), checkout.click()`)
	run[any](f.T, f.tab, `document.querySelector(".sold-out").disabled = false`) // the shop has it again
	run[any](f.T, f.tab, `(() => { const b = document.createElement("button"); b.id = "late"; b.className = "sold-out"; document.querySelector("form").append(b) })()`)
	f.truth(`late.disabled`, `document.querySelector(".sold-out:not(#late)").disabled`)
	if f.orders.Load() > 0 {
		f.Fatal("an order went through while closed")
	}
	f.clean() // until here: what follows is the shop's own doing

	open := input(f, "2026-12-29 11:00")
	open.Notices[0].Reopened = at(f, "2026-12-29 10:00")
	f.publish(open)
	f.settle()
	f.truth(`!checkout.disabled`, `!late.disabled`, `!document.querySelector(".sold-out").disabled`, `!express.hasAttribute("aria-disabled")`,
		`checkout.getAttribute("aria-describedby") === "terms"`, `!express.hasAttribute("aria-describedby")`, `!document.querySelector("span[id^=backsoon]")`)
	f.do(chromedp.Click(chromedp.CSS("#checkout")))
	f.await(`location.pathname === "/checkout"`)
	if f.orders.Load() != 1 {
		f.Error("no order goes through while open")
	}
}

func (f *foreign) await(expression string) {
	f.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok, err := chromedp.Run(f.tab, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
	}
	f.Fatalf("it never came to be so: %s", expression)
}

// What the shop itself had switched off before stays off.
func testBannerOutage(f *foreign) {
	f.open("en", `data-storefront="web" data-disable="#checkout, .sold-out"`)
	up := f.files.Swap(nil)
	f.settle()
	f.want(winterBanner)
	f.truth(`checkout.disabled`)
	open := input(f, "2027-03-29 11:00")
	open.Notices = nil
	f.publish(open)
	f.settle()
	f.want("")
	f.truth(`!checkout.disabled`, `document.querySelector(".sold-out").disabled`)

	f.files.Store(up)
	f.truth(`Object.defineProperty(document, "hidden", {value: true, configurable: true})`)
	f.settle()
	f.want("") // nobody looks at the page: nobody is asked
	f.truth(`delete document.hidden`, `dispatchEvent(new Event("visibilitychange"))`)
	f.await(`checkout.disabled`)

	f.files.Store(nil)
	f.do(chromedp.Navigate("about:blank"))
	f.do(chromedp.Navigate(f.shop.URL + "/?lang=en&with=data-disable%3D%23checkout"))
	f.settle() // the script itself comes from the browser's cache
	f.truth(`!document.querySelector("[role=region]")`, `!checkout.disabled`)
}

func testBannerLanguages(f *foreign) {
	dir := f.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "templates/words"), 0o755); err != nil {
		f.Fatal(err)
	}
	arabic := "language: {name: العربية, direction: rtl}\nbanner: {dismiss: إخفاء}\nanswer:\n  closed-until: {word: \"مغلق.\", then: \"نفتح {{.At}}\"}\n"
	if err := os.WriteFile(filepath.Join(dir, "templates/words/ar.yaml"), []byte(arabic), 0o644); err != nil {
		f.Fatal(err)
	}
	in := input(f, "2026-12-29 11:00")
	in.Theme, in.Config.Languages = templates.FS(dir), []string{"en", "pt", "ar"}
	in.Notices[0].Translations = []*notice.Translation{{Slug: "winter-break", Language: "pt", Title: "Pausa de inverno", Body: "Fechamos."}}
	f.publish(in)
	for _, c := range []struct{ page, with, lang, dir, holds string }{
		{"pt-BR", "", "pt", "ltr", "Pausa de inverno"},
		{"", "", "en", "ltr", "Closed for the winter break"},
		{"ja", "", "en", "ltr", "Closed for the winter break"},
		{"en", "data-lang=ar", "ar", "rtl", "مغلق. نفتح"},
	} {
		f.open(c.page, c.with)
		if got := f.shown(); !strings.Contains(got, c.holds) {
			f.Errorf("%q %s: says %q", c.page, c.with, got)
		}
		f.truth(`document.querySelector("[role=region]").lang === "`+c.lang+`"`,
			`getComputedStyle(document.querySelector("[role=region]").shadowRoot.querySelector("p")).direction === "`+c.dir+`"`)
	}
}

// Nothing is disabled but by a closure in force.
func testBannerOthers(f *foreign) {
	in := input(f, "2026-12-29 11:00")
	all := in.Notices
	for _, c := range []struct {
		slug, now, want, off string
	}{
		{"stocktaking", "2026-12-29 11:00", "Planned. Closing Mon 1 February (Lisbon) Stocktaking Read more", "false"},
		{"slow-post", "2026-12-29 11:00", "Now. Ends Fri 8 January (Lisbon) The post is slow Read more", "false"},
		{"winter-break", "2027-01-05 11:00", "Reopening delayed. It was planned for Sat 2 January, 09:00 (Lisbon) Closed for the winter break Read more", "true"},
		{"fair", "2026-12-29 11:00", "", "false"},
		{"summer", "2026-12-29 11:00", "", "false"},
	} {
		i := slices.IndexFunc(all, func(n *notice.Notice) bool { return n.Slug == c.slug })
		in.Notices, in.Now = all[i:i+1], at(f, c.now).Time
		f.publish(in)
		f.open("en", `data-disable="#checkout"`) // the first storefront is the one
		f.want(c.want)
		f.truth(`checkout.disabled === ` + c.off)
	}
	f.open("en", `data-disable="#checkout" data-storefront="no-such"`)
	f.want("")
	f.truth(`!checkout.disabled`)
}

// The bar fits the narrowest screen, can be read in the dark, leaves what has the
// focus in sight, and is not printed.
func testBannerFits(f *foreign) {
	f.do(chromedp.EmulateViewport(320, 480))
	f.open("en", `data-storefront="web"`)
	f.truth(
		`document.documentElement.scrollWidth <= 320`,
		`((r) => r.left >= 0 && r.right <= 320 && Math.abs(r.bottom - 480) < 1 && r.height > 40 && r.height <= 240)(document.querySelector("[role=region]").getBoundingClientRect())`,
		`document.querySelector("[role=region]").shadowRoot.querySelector("button").getBoundingClientRect().height >= 24`,
		`parseFloat(document.documentElement.style.scrollPaddingBottom) > 40`,
	)
	for _, scheme := range []string{"light", "dark"} {
		f.emulate(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		colours := run[[]string](f.T, f.tab, `((s) => [s.color, s.backgroundColor].map((c) => c.match(/\d+/g).map((n) => (+n).toString(16).padStart(2, "0")).join("")).map((c) => "#" + c))(getComputedStyle(document.querySelector("[role=region]").shadowRoot.querySelector("div")))`)
		if c := contrast(shade(f.T, colours[0]), shade(f.T, colours[1])); c < readable {
			f.Errorf("%s: %.1f between %s and %s", scheme, c, colours[0], colours[1])
		}
	}
	f.emulate(emulation.SetEmulatedMediaParams{Media: "print"})
	f.truth(`getComputedStyle(document.querySelector("[role=region]")).display === "none"`)
}

func (f *foreign) emulate(params emulation.SetEmulatedMediaParams) {
	f.Helper()
	f.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, params)
		return err
	}))
}

// Where a browser keeps nothing, dismissing holds for as long as the page does.
func testBannerWithoutStorage(f *foreign) {
	f.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `Object.defineProperty(window, "localStorage", {get() { throw new DOMException("no", "SecurityError") }})`,
		})
		return err
	}))
	f.open("en", `data-storefront="web"`)
	f.want(winterBanner)
	run[any](f.T, f.tab, `document.querySelector("[role=region]").shadowRoot.querySelector("button").click()`)
	f.settle()
	f.want("")
}
