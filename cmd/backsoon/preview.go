package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	pages "github.com/backsoon/backsoon/internal/site"
	"github.com/backsoon/backsoon/internal/strictyaml"
	"github.com/backsoon/backsoon/templates"
)

// livePath is where browsers wait to hear of a change, as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
const livePath = "/_live"

// preview holds the pages of a site in memory and serves them.
type preview struct {
	dir  string
	base *url.URL // where the preview is served

	mu    sync.Mutex
	shown *edition
}

// edition is what the preview shows, until there is something else to show.
type edition struct {
	number   int64 // no two have the same, those of an earlier process included
	files    pages.Files
	mistake  error         // why there are no files; nil: there are
	replaced chan struct{} // closed when there is a newer one
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

// build makes the pages anew, and tells the browsers if they differ.
func (p *preview) build(now time.Time) {
	files, mistake := p.make(now)
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.shown
	next := &edition{old.number, files, mistake, old.replaced}
	if !next.same(old) {
		next.number++
		next.replaced = make(chan struct{})
		close(old.replaced)
	}
	p.shown = next
}

// same tells whether a browser would show the same. status.json differs always:
// it says when it was made.
func (e *edition) same(o *edition) bool {
	lasting := func(files pages.Files) pages.Files {
		files = maps.Clone(files)
		delete(files, "status.json")
		return files
	}
	return fmt.Sprint(e.mistake) == fmt.Sprint(o.mistake) && maps.EqualFunc(lasting(e.files), lasting(o.files), bytes.Equal)
}

// make builds the whole site, with the preview's own address in the place of
// the shop's: full links lead to what is previewed.
func (p *preview) make(now time.Time) (pages.Files, error) {
	s := &site{dir: p.dir}
	if err := s.load(); err != nil {
		return nil, err
	}
	notices, problems, err := s.notices(now)
	if err = cmp.Or(err, problems.Err()); err != nil {
		return nil, err
	}
	s.cfg.Shop.URL = p.base
	return pages.Build(pages.Input{Config: s.cfg, Theme: templates.FS(s.cfg.Dir), Notices: notices, Now: now.Truncate(time.Second), Drafts: true})
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
	if e.mistake != nil {
		e.answer(w, http.StatusInternalServerError, "mistakes.html", mistakesPage(e.mistake))
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	}
	if content, ok := e.files[name]; ok {
		e.answer(w, http.StatusOK, name, content)
		return
	}
	if _, ok := e.files[name+"/index.html"]; ok {
		http.Redirect(w, r, path.Base(name)+"/", http.StatusFound)
		return
	}
	e.answer(w, http.StatusNotFound, "404.html", e.files["404.html"])
}

// live answers as soon as there is another edition than the one that the
// browser shows, and then ends.
func (p *preview) live(w http.ResponseWriter, r *http.Request) {
	seen := r.URL.Query().Get("edition")
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	flushed := http.NewResponseController(w).Flush()
	for flushed == nil {
		e := p.present()
		if seen != strconv.FormatInt(e.number, 10) {
			fmt.Fprintf(w, "data: %d\n\n", e.number)
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-e.replaced:
		}
	}
}

// answer sends one file; a page gets the script that reloads it.
func (e *edition) answer(w http.ResponseWriter, status int, name string, content []byte) {
	if path.Ext(name) == ".html" {
		content = withReload(content, e.number)
	}
	w.Header().Set("Content-Type", cmp.Or(mime.TypeByExtension(path.Ext(name)), "application/octet-stream"))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(content) // an error is the browser's going away
}

// withReload puts the script before the end of the page's body.
func withReload(page []byte, edition int64) []byte {
	script := fmt.Sprintf(`<script>new EventSource("%s?edition=%d").onmessage = () => location.reload()</script>`, livePath, edition)
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
