package main

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
	pages "github.com/backsoon/backsoon/internal/site"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

// livePath is where browsers wait to hear of a change, as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
const livePath = "/_live"

// preview serves the pages of a site, each made when it is asked for.
type preview struct {
	dir    string
	base   *url.URL // where the preview is served
	origin *origin  // nil: the settings have a mistake, or were not read yet

	mu    sync.Mutex
	shown *edition
}

// origin is what the pages are made of, as long as settings and theme stay.
type origin struct {
	notices *notice.Collection
	pages   *pages.Site
	sound   bool // every page could be made with the theme
}

// edition is what the preview shows, until there is something else to show.
type edition struct {
	number   int64 // no two have the same, those of an earlier process included
	origin   *origin
	pages    *pages.Edition
	mistake  error         // why there are no pages; nil: there are
	replaced chan struct{} // closed when there is a newer one
	next     *edition      // that newer one
}

func newPreview(dir string, base *url.URL) *preview {
	first := &edition{number: time.Now().UnixMilli(), replaced: make(chan struct{})}
	return &preview{dir: dir, base: base, shown: first}
}

// baseOf is the address of what is served by the listener at its root.
func baseOf(l net.Listener) *url.URL {
	address := l.Addr().(*net.TCPAddr)
	host := address.IP.String()
	if address.IP.IsUnspecified() {
		host = "localhost"
	}
	return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, strconv.Itoa(address.Port)), Path: "/"}
}

// begin reads the settings, the theme and all notices, and shows the pages.
func (p *preview) begin(now time.Time) {
	p.origin = nil
	p.show(p.make(now, nil))
}

// follow shows the pages after these files of the notices' folder were written
// or removed. Without any, it looks at the whole folder.
func (p *preview) follow(now time.Time, names ...string) {
	p.show(p.make(now, names))
}

// show puts an edition in the present one's place.
func (p *preview) show(pages *pages.Edition, mistake error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.shown
	old.next = &edition{number: old.number + 1, origin: p.origin, pages: pages, mistake: mistake, replaced: make(chan struct{})}
	p.shown = old.next
	close(old.replaced)
}

// make makes an edition with the preview's own address in the place of the
// shop's: full links lead to what is previewed.
func (p *preview) make(now time.Time, names []string) (*pages.Edition, error) {
	if p.origin == nil {
		if err := p.open(); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 {
		if err := p.origin.notices.Read(); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		p.origin.notices.ReadOne(name)
	}
	notices, problems := p.origin.notices.Notices(now)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	e, err := p.origin.pages.Edition(pages.Input{Notices: notices, Now: now.Truncate(time.Second), Drafts: true})
	if err == nil && !p.origin.sound {
		err = e.Check()
		p.origin.sound = err == nil
	}
	return e, err
}

// open reads the settings and the theme.
func (p *preview) open() error {
	s := &site{dir: p.dir}
	if err := s.load(); err != nil {
		return err
	}
	s.cfg.Shop.URL = p.base
	p.origin = &origin{notices: notice.NewCollection(s.cfg.Dir, s.cfg.Surroundings()), pages: s.pages()}
	return nil
}

// page gives the file that is asked for by its path.
func (e *edition) page(name string) ([]byte, error) {
	if e.mistake != nil {
		return nil, e.mistake
	}
	return e.pages.Render(name)
}

// same tells whether the file at the path is the same in both editions. Where
// settings or theme have changed, none is.
func (e *edition) same(o *edition, name string) bool {
	if e.mistake != nil || o.mistake != nil {
		return fmt.Sprint(e.mistake) == fmt.Sprint(o.mistake)
	}
	if e.origin != o.origin || e.pages.Has(name) != o.pages.Has(name) {
		return false
	}
	if e.pages.Same(o.pages, name) {
		return true
	}
	one, errOne := e.page(name)
	other, errOther := o.page(name)
	return errors.Join(errOne, errOther) == nil && bytes.Equal(one, other)
}

func (p *preview) present() *edition {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown
}

// ServeHTTP implements http.Handler.
func (p *preview) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "the preview only shows pages", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == livePath {
		p.live(w, r)
		return
	}
	e := p.present()
	name := nameOf(r.URL.Path)
	status := http.StatusOK
	if e.mistake == nil && !e.pages.Has(name) {
		if e.pages.Has(name + "/index.html") {
			http.Redirect(w, r, path.Base(name)+"/", http.StatusFound)
			return
		}
		name, status = "404.html", http.StatusNotFound
	}
	content, err := e.page(name)
	if err != nil {
		name, status, content = "mistakes.html", http.StatusInternalServerError, mistakesPage(err)
	}
	e.answer(w, status, name, content, r.URL.Path)
}

// nameOf is the file that a request's path stands for.
func nameOf(path string) string {
	name := strings.TrimPrefix(path, "/")
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	}
	return name
}

// live answers as soon as the page that the browser shows differs from what it
// was in the edition that the browser has, and then ends.
func (p *preview) live(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	name := nameOf(query.Get("page"))
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	flushed := http.NewResponseController(w).Flush()
	if flushed != nil {
		return
	}
	e := p.present()
	for changed := query.Get("edition") != strconv.FormatInt(e.number, 10); !changed; {
		select {
		case <-r.Context().Done():
			return
		case <-e.replaced:
			changed = !e.same(e.next, name)
			e = e.next
		}
	}
	fmt.Fprintf(w, "data: %d\n\n", e.number)
}

// answer sends one file; a page gets the script that reloads it.
func (e *edition) answer(w http.ResponseWriter, status int, name string, content []byte, asked string) {
	if path.Ext(name) == ".html" {
		content = withReload(content, e.number, asked)
	}
	w.Header().Set("Content-Type", pages.ContentType(name))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(content) // an error is the browser's going away
}

// withReload puts the script before the end of the page's body.
func withReload(page []byte, edition int64, asked string) []byte {
	script := fmt.Sprintf(`<script>new EventSource("%s?edition=%d&page=%s").onmessage = () => location.reload()</script>`,
		livePath, edition, url.QueryEscape(asked))
	end := bytes.LastIndex(page, []byte("</body>"))
	if end < 0 {
		end = len(page)
	}
	return bytes.Join([][]byte{page[:end], []byte(script), page[end:]}, nil)
}

var mistakes = template.Must(template.New("mistakes").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>To put right</title>
<style>
body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
li { margin: 1rem 0; overflow-wrap: anywhere }
b { font: 0.95rem ui-monospace, monospace; display: block }
</style>
<body>
<h1>To put right</h1>
<p>The pages come back by themselves once this is mended.</p>
<ul>
{{range .}}<li>{{with .Where}}<b>{{.}}</b>{{end}}{{.Text}}</li>
{{end}}</ul>
</body>
</html>
`))

// mistakesPage lists the mistakes, each with its file, line and column.
func mistakesPage(err error) []byte {
	type line struct{ Where, Text string }
	lines := []line{{Text: err.Error()}}
	var problems strictyaml.Problems
	if errors.As(err, &problems) {
		lines = nil
		for _, problem := range problems {
			text := problem.Text
			problem.Text = ""
			lines = append(lines, line{strings.TrimSuffix(problem.String(), ": "), text})
		}
	}
	var b bytes.Buffer
	_ = mistakes.Execute(&b, lines) // a buffer takes all
	return b.Bytes()
}
