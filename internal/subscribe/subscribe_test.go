package subscribe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/net/html"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/templates"
)

// desk is a Handler behind a real server, and what came of the requests.
type desk struct {
	*httptest.Server
	handler *Handler

	mu        sync.Mutex
	now       time.Time
	asked     []Choice
	full      bool
	confirmed []Choice
	unasked   bool
	removed   []string
	fail      error
	log       bytes.Buffer
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{now: time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)}
	d.handler = &Handler{Links: links, Theme: templates.FS(""), Shop: "Harbour <Books>", Voices: voices(),
		Storefronts: []Storefront{{"web", "Online <shop>"}, {"till", "Till"}}, Limits: NewLimits(), Now: d.clock,
		Ask: d.ask, Confirm: d.confirm, Remove: d.remove, Log: slog.New(slog.NewTextHandler(&d.log, nil))}
	d.handler.Links.Public = &url.URL{Scheme: "https", Host: "closures.example", Path: "/"}
	d.Server = httptest.NewServer(d.handler)
	t.Cleanup(d.Close)
	d.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return d
}

// voices are every language there is, each with a status page of its own.
var voices = sync.OnceValue(func() []Voice {
	all := []Voice{{locale.English(), "https://status.example/"}}
	for _, tag := range locale.Tags() {
		if tag != locale.Default {
			all = append(all, Voice{locale.BuiltIn(tag), "https://status.example/" + tag + "/"})
		}
	}
	return all
})

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) ask(c Choice) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.full {
		d.asked = append(d.asked, c)
	}
	return !d.full
}

func (d *desk) confirm(_ context.Context, c Choice) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail == nil && !d.unasked {
		d.confirmed = append(d.confirmed, c)
	}
	return !d.unasked, d.fail
}

func (d *desk) remove(_ context.Context, address string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail == nil {
		d.removed = append(d.removed, address)
	}
	return d.fail
}

// answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

func (d *desk) do(t *testing.T, method, path, contentType string, body io.Reader, change ...func(*http.Request)) answer {
	t.Helper()
	r, err := http.NewRequest(method, d.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for _, f := range change {
		f(r)
	}
	res, err := d.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func (d *desk) checkRemoved(t *testing.T, want ...string) {
	t.Helper()
	if got := strings.Join(d.removed, " "); got != strings.Join(want, " ") {
		t.Errorf("removed: %q, want %q", got, want)
	}
	d.removed = nil
}

// leave is the path of a link in a mail to Ada.
var leave = "/unsubscribe/" + tokenOf("ada@example.com")

const urlencoded, oneClick = "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"

// TestLooking: link scanners fetch every link, so only the button leaves.
func TestLooking(t *testing.T) {
	d := newDesk(t)
	got := d.do(t, "GET", leave, "", nil)
	if got.status != 200 || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%d, %s", got.status, got.header)
	}
	if head := d.do(t, "HEAD", leave, "", nil); head.status != 200 || head.body != "" {
		t.Errorf("HEAD: %d, %q", head.status, head.body)
	}
	if again := d.do(t, "GET", leave+"?"+oneClick, "", nil); again.body != got.body {
		t.Error("a query makes another page")
	}
	d.checkRemoved(t)
	forms, buttons := elements(t, got.body, "form"), elements(t, got.body, "button")
	if len(forms) != 1 || len(buttons) != 1 || attr(forms[0], "method") != "post" || attr(forms[0], "action") != "" {
		t.Errorf("the page has no one button that posts to its own address:\n%s", got.body)
	}
}

func TestLeaving(t *testing.T) {
	d := newDesk(t)
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	if err := errors.Join(m.WriteField("List-Unsubscribe", "One-Click"), m.Close()); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, contentType string
		body              io.Reader
	}{
		{"one click, urlencoded", urlencoded, strings.NewReader(oneClick)},
		{"one click, multipart", m.FormDataContentType(), &form},
		{"the button", urlencoded, nil},
		{"no content type", "", nil},
		{"a broken form", "multipart/form-data", strings.NewReader("%zz")},
		{"1 MB", urlencoded, strings.NewReader(strings.Repeat("x", 1<<20))},
		{"1 MB in chunks", urlencoded, io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)))},
	} {
		got := d.do(t, "POST", leave, test.contentType, test.body)
		if got.status != 200 || len(elements(t, got.body, "form")) > 0 {
			t.Errorf("%s: %d\n%s", test.name, got.status, got.body)
		}
		d.checkRemoved(t, "ada@example.com")
	}
}

// TestAnswersTellNothing: who is on the list shows in no answer.
func TestAnswersTellNothing(t *testing.T) {
	d := newDesk(t)
	for _, method := range []string{"GET", "POST"} {
		known := d.do(t, method, leave, "", nil)
		unknown := d.do(t, method, "/unsubscribe/"+tokenOf("nobody@example.com"), "", nil)
		known.header.Del("Date")
		unknown.header.Del("Date")
		if known.status != unknown.status || known.body != unknown.body || !equal(known.header, unknown.header) {
			t.Errorf("%s: %+v and %+v", method, known, unknown)
		}
	}
}

func equal(a, b http.Header) bool {
	var x, y strings.Builder
	return a.Write(&x) == nil && b.Write(&y) == nil && x.String() == y.String()
}

func TestForgedLinks(t *testing.T) {
	d := newDesk(t)
	token := tokenOf("ada@example.com")
	other := another.seal(leaving, "ada@example.com")
	for _, forged := range []string{"", "x", token[:len(token)-1], token + "A", "A" + token, other, token + "/", token + "/x", "%2e" + token} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			if got := d.do(t, method, "/unsubscribe/"+forged, "", nil); got.status != 404 || len(elements(t, got.body, "form")) > 0 {
				t.Errorf("%s of %q: %d", method, forged, got.status)
			}
		}
	}
	d.checkRemoved(t)
}

func TestOtherPaths(t *testing.T) {
	d := newDesk(t)
	token := tokenOf("ada@example.com")
	for _, path := range []string{"/", "/unsubscribe", "/Unsubscribe/" + token, "/x/unsubscribe/" + token, "//unsubscribe/" + token, "/" + token, "/healthz", "/metrics", "/favicon.ico"} {
		if got := d.do(t, "POST", path, "", nil); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := d.do(t, "PUT", leave, "", nil); got.status != 405 || got.header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("PUT: %d, Allow: %s", got.status, got.header.Get("Allow"))
	}
	d.checkRemoved(t)
}

// TestPathOfThePublicAddress: a proxy may have taken it off, or not.
func TestPathOfThePublicAddress(t *testing.T) {
	for _, public := range []*url.URL{nil, {Path: "/"}, {Path: "/shop/"}, {Path: "/a/b c/"}} {
		d := newDesk(t)
		d.handler.Links.Public = public
		paths := []string{leave}
		if public != nil {
			paths = append(paths, public.EscapedPath()+leave[1:])
		}
		for _, path := range paths {
			if got := d.do(t, "POST", path, "", nil); got.status != 200 {
				t.Errorf("public %v: %s: %d", public, path, got.status)
			}
			d.checkRemoved(t, "ada@example.com")
		}
		if got := d.do(t, "POST", "/elsewhere"+leave, "", nil); got.status != 404 {
			t.Errorf("public %v: elsewhere: %d", public, got.status)
		}
	}
}

func TestHeaders(t *testing.T) {
	d := newDesk(t)
	for _, method := range []string{"GET", "POST"} {
		for _, path := range []string{leave, "/x"} {
			got := d.do(t, method, path, "", nil)
			if got.status/100 == 3 || got.header.Get("Location") != "" || got.header.Get("Set-Cookie") != "" {
				t.Errorf("%s %s: %d %v", method, path, got.status, got.header)
			}
			for _, want := range []string{"Cache-Control: no-store", "Referrer-Policy: no-referrer", "X-Robots-Tag: noindex"} {
				name, value, _ := strings.Cut(want, ": ")
				if got.header.Get(name) != value {
					t.Errorf("%s %s: %s: %s", method, path, name, got.header.Get(name))
				}
			}
			if csp := got.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "form-action 'self'") {
				t.Errorf("%s %s: %s", method, path, csp)
			}
		}
	}
}

func TestRemoveFails(t *testing.T) {
	d := newDesk(t)
	d.fail = errors.New("the disk is full")
	got := d.do(t, "POST", leave, urlencoded, strings.NewReader(oneClick))
	if got.status != 500 || strings.Contains(got.body, "disk") || len(elements(t, got.body, "form")) != 1 {
		t.Errorf("%d\n%s", got.status, got.body)
	}
	d.fail = nil
	d.do(t, "POST", leave, "", nil)
	d.Close()
	if log := d.log.String(); !strings.Contains(log, "the disk is full") || strings.Contains(log, "ada@") {
		t.Errorf("the log:\n%s", log)
	}
}

// TestPages: every state is a whole page of its own, in each language, that says
// the shop's name.
func TestPages(t *testing.T) {
	d := newDesk(t)
	for _, v := range d.handler.Voices {
		seen := map[string]string{}
		for state, page := range d.states(t, "?lang="+v.Tag) {
			checkPage(t, v, state, page.body)
			if page.header.Get("Content-Language") != v.Tag || page.header.Get("Vary") != "Accept-Language" {
				t.Errorf("%s, %s: %v", v.Tag, state, page.header)
			}
			title := elements(t, page.body, "title")[0].FirstChild.Data
			if other, taken := seen[title]; taken {
				t.Errorf("%s: %s and %s have the title %q", v.Tag, state, other, title)
			}
			seen[title] = state
		}
	}
}

// states are all pages that there are.
func (d *desk) states(t *testing.T, query string, change ...func(*http.Request)) map[string]answer {
	t.Helper()
	pages := map[string]answer{
		"ask":     d.do(t, "GET", leave+query, "", nil, change...),
		"left":    d.do(t, "POST", leave+query, "", nil, change...),
		"broken":  d.do(t, "GET", leave+"x"+query, "", nil, change...),
		"unknown": d.do(t, "GET", "/"+query, "", nil, change...),
	}
	confirm := d.link(Choice{Address: "ada@example.com", Storefronts: []string{"web"}}, d.now.Add(time.Hour))
	pages["confirm"] = d.do(t, "GET", confirm+query, "", nil, change...)
	pages["confirmed"] = d.do(t, "POST", confirm+query, "", nil, change...)
	pages["expired"] = d.do(t, "GET", d.link(Choice{}, d.now)+query, "", nil, change...)
	d.fail = errors.New("no")
	pages["failed"] = d.do(t, "POST", leave+query, "", nil, change...)
	d.fail = nil
	return pages
}

func checkPage(t *testing.T, v Voice, state, page string) {
	t.Helper()
	for _, tag := range []string{"h1", "title", "main"} {
		if len(elements(t, page, tag)) != 1 {
			t.Errorf("%s: not one <%s>:\n%s", state, tag, page)
		}
	}
	if htmls := elements(t, page, "html"); len(htmls) != 1 || attr(htmls[0], "lang") != v.Tag || attr(htmls[0], "dir") != v.Dir {
		t.Errorf("%s: the page doesn't say that it is in %s", state, v.Tag)
	}
	if !strings.Contains(page, "Harbour &lt;Books&gt;") || !strings.Contains(page, `href="`+v.Status+`"`) {
		t.Errorf("%s: neither the shop nor its status page:\n%s", state, page)
	}
	for _, tag := range []string{"script", "link", "img", "input"} {
		if len(elements(t, page, tag)) > 0 {
			t.Errorf("%s: it has a <%s>, which its own policy forbids or nobody needs", state, tag)
		}
	}
	if strings.Contains(page, "[leave.") || strings.Contains(page, "{{") {
		t.Errorf("%s in %s: words are missing:\n%s", state, v.Tag, page)
	}
}

// TestLanguage: the link says which, else the browser; a language that the site
// doesn't have gives its first.
func TestLanguage(t *testing.T) {
	d := newDesk(t)
	for _, tt := range []struct{ query, accept, want string }{
		{"", "", "en"},
		{"", "pt-BR, en;q=0.5", "pt"},
		{"", "ja", "en"},
		{"?lang=ar", "de", "ar"},
		{"?lang=tlh", "de", "de"},
		{"?lang=%3Cscript%3E", "", "en"},
	} {
		for state, page := range d.states(t, tt.query, func(r *http.Request) { r.Header.Set("Accept-Language", tt.accept) }) {
			if got := page.header.Get("Content-Language"); got != tt.want || attr(elements(t, page.body, "html")[0], "lang") != tt.want {
				t.Errorf("%s, %s, %q: %s", state, tt.query, tt.accept, got)
			}
		}
	}
	d.checkRemoved(t, slices.Repeat([]string{"ada@example.com"}, 6)...)
}

func TestThemeWithoutThePage(t *testing.T) {
	for name, theme := range map[string]fs.FS{
		"missing": fstest.MapFS{},
		"broken":  fstest.MapFS{"pages/subscription.html": {Data: []byte("{{.State")}},
		"failing": fstest.MapFS{"pages/subscription.html": {Data: []byte("half {{template \"x\"}}")}},
	} {
		d := newDesk(t)
		d.handler.Theme = theme
		got := d.do(t, "POST", leave, "", nil)
		if got.status != 200 || strings.Contains(got.body, "half") || !strings.Contains(got.body, "<h1>") {
			t.Errorf("%s: %d %q", name, got.status, got.body)
		}
		d.checkRemoved(t, "ada@example.com") // the page's fault is no reason to stay
	}
}

// TestCheck tries every state that there is.
func TestCheck(t *testing.T) {
	src, err := os.ReadFile("subscribe.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`State: "(\w+)"|chosen\(voice, "(\w+)"`).FindAllStringSubmatch(string(src), -1) {
		if state := m[1] + m[2]; !slices.Contains(states, state) {
			t.Errorf("the state %s is not tried", state)
		}
	}
	for _, state := range states {
		theme := fstest.MapFS{"pages/subscription.html": {Data: []byte("<p>\n{{if eq .State \"" + state + "\"}}{{.Nope}}{{end}}")}}
		var mistake *templates.Mistake
		if err := Check(theme, "Harbour Books", voices()[0]); !errors.As(err, &mistake) || mistake.File != "templates/pages/subscription.html" || mistake.Line != 2 {
			t.Errorf("%s: %v", state, err)
		}
	}
	for _, voice := range voices() {
		if err := Check(templates.FS(""), "Harbour Books", voice); err != nil {
			t.Error(err)
		}
	}
}

// TestForwardedFor: only a proxy of ours is believed, and only as far as the
// first address that is none.
func TestForwardedFor(t *testing.T) {
	loopback, inner := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")
	for _, test := range []struct {
		name    string
		proxies []netip.Prefix
		header  []string
		want    string
	}{
		{"nobody is trusted", nil, []string{"203.0.113.7"}, "127.0.0.1"},
		{"somebody else is trusted", []netip.Prefix{inner}, []string{"203.0.113.7"}, "127.0.0.1"},
		{"no header", []netip.Prefix{loopback}, nil, "127.0.0.1"},
		{"a proxy", []netip.Prefix{loopback}, []string{"203.0.113.7"}, "203.0.113.7"},
		{"what the customer wrote before it", []netip.Prefix{loopback}, []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		{"two proxies", []netip.Prefix{loopback, inner}, []string{"198.51.100.1, 203.0.113.7, 10.1.2.3"}, "203.0.113.7"},
		{"two headers", []netip.Prefix{loopback, inner}, []string{"203.0.113.7", "10.1.2.3"}, "203.0.113.7"},
		{"proxies alone", []netip.Prefix{loopback, inner}, []string{"10.1.2.3"}, "10.1.2.3"},
		{"no address", []netip.Prefix{loopback}, []string{"203.0.113.7, unknown"}, "127.0.0.1"},
		{"IPv6", []netip.Prefix{loopback}, []string{"2001:db8::7"}, "2001:db8::7"},
		{"with a port", []netip.Prefix{loopback}, []string{"203.0.113.7:50123"}, "203.0.113.7"},
		{"IPv6 with a port", []netip.Prefix{loopback}, []string{"[2001:db8::7]:50123"}, "2001:db8::7"},
		{"IPv4 as IPv6", []netip.Prefix{loopback, inner}, []string{"203.0.113.7, ::ffff:10.1.2.3"}, "203.0.113.7"},
	} {
		d := newDesk(t)
		d.handler.Proxies = test.proxies
		d.do(t, "POST", leave, "", nil, func(r *http.Request) { r.Header["X-Forwarded-For"] = test.header })
		d.Close()
		if log := d.log.String(); !strings.HasSuffix(strings.TrimSpace(log), "from="+test.want) {
			t.Errorf("%s: want %s, logged %s", test.name, test.want, log)
		}
	}
}

func elements(t *testing.T, page, tag string) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
