package audit

import (
	"compress/gzip"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A site is a shop's site, served until the test ends.
type site struct {
	public string // the folder
	base   string // its address, with a trailing slash
}

// rich is the sample shop when everything happens at once: what is in a later
// folder is added, or takes the place of a file of the same name.
var rich = []string{"testdata/shop", "testdata/rich"}

// winter is a moment, on Lisbon's clocks, at which the sample shop is closed.
const winter = "2026-12-27T11:00:00Z"

// newSite builds the pages as they are at now, with the real command.
func newSite(t *testing.T, now string, folders ...string) site {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range folders {
		copyAsOf(t, now, dir, folder)
	}
	public := filepath.Join(dir, "public")
	server := httptest.NewServer(webServer(public))
	t.Cleanup(server.Close)
	cmd := exec.Command(backsoon, "--site", dir, "build", "--now", now)
	cmd.Env = append(os.Environ(), "STATUS_URL="+server.URL+"/")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return site{public, server.URL + "/"}
}

var (
	published = regexp.MustCompile(`(?m)^published: (.+)$`)
	reopened  = regexp.MustCompile(`(?m)^reopened: (.+)\n`)
	update    = regexp.MustCompile(`(?m)^## (\d{4}-\d\d-\d\d \d\d:\d\d)`)
)

// copyAsOf copies a site as it was at now: without what was written later.
func copyAsOf(t *testing.T, now, dir, folder string) {
	t.Helper()
	clock := asWritten(t, now)
	files := os.DirFS(folder)
	err := fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err == nil && e.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		if err != nil || !written(files, name, clock) {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, ".md") {
			text = untold(text, clock)
		}
		return os.WriteFile(to, text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// asWritten is a moment as notices have it. Times so written sort as texts.
func asWritten(t *testing.T, now string) string {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, now)
	if err != nil {
		t.Fatal(err)
	}
	lisbon, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		t.Fatal(err)
	}
	return moment.In(lisbon).Format("2006-01-02 15:04")
}

// written tells whether a notice was published by then. A translation,
// winter-break.ar.md, is as old as the notice.
func written(files fs.FS, name, clock string) bool {
	slug, _, _ := strings.Cut(path.Base(name), ".")
	text, err := fs.ReadFile(files, path.Join(path.Dir(name), slug+".md"))
	if err != nil {
		return true // no notice
	}
	m := published.FindSubmatch(text)
	return m == nil || string(m[1]) <= clock
}

// untold takes out of a notice what had not come about by then.
func untold(text []byte, clock string) []byte {
	if m := reopened.FindSubmatchIndex(text); m != nil && string(text[m[2]:m[3]]) > clock {
		text = slices.Delete(text, m[0], m[1])
	}
	for _, m := range update.FindAllSubmatchIndex(text, -1) {
		if string(text[m[2]:m[3]]) > clock {
			return text[:m[0]]
		}
	}
	return text
}

// webServer serves a folder as a well-kept web server does: compressed, with
// 404.html for what is not there, and asking again before a page is shown twice.
func webServer(public string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file := filepath.Join(public, filepath.FromSlash(path.Clean("/"+r.URL.Path)))
		if strings.HasSuffix(r.URL.Path, "/") {
			file = filepath.Join(file, "index.html")
		}
		status := http.StatusOK
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			file, status = filepath.Join(public, "404.html"), http.StatusNotFound
		}
		text, err := os.ReadFile(file)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		header := w.Header()
		header.Set("Content-Type", contentType(file))
		header.Set("Content-Encoding", "gzip")
		header.Set("Cache-Control", "no-cache")
		header.Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(status)
		zipped := gzip.NewWriter(w)
		defer zipped.Close()
		_, _ = zipped.Write(text)
	})
}

func contentType(file string) string {
	known := map[string]string{
		".html": "text/html; charset=utf-8", ".txt": "text/plain; charset=utf-8", ".js": "text/javascript; charset=utf-8",
		".json": "application/json", ".xml": "application/xml", ".svg": "image/svg+xml", ".ics": "text/calendar; charset=utf-8",
	}
	if kind := known[filepath.Ext(file)]; kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// pages gives the paths of all pages, index.html left out: "", "history/".
func (s site) pages(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(s.public, func(file string, e fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(file) == ".html" {
			rel, _ := filepath.Rel(s.public, file)
			paths = append(paths, strings.TrimSuffix(filepath.ToSlash(rel), "index.html"))
		}
		return err
	})
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d pages: %v", len(paths), err)
	}
	return paths
}

// several matches a page of which a site has many alike.
var several = regexp.MustCompile(`(closures|history|storefronts)/[^/]+/$`)

// phases are closures of the rich site of which none is like the others: open-ended,
// planned, delayed, over, without a closed checkout, and closed now.
var phases = []string{
	"closures/market-roof/", "closures/very-long/", "closures/new-press/", "closures/flood/", "closures/slow-post/",
	"closures/winter-break/", "ar/closures/winter-break/",
}

// kinds gives one page of each kind: of those that are several the first in each
// language, and each of the phases.
func (s site) kinds(t *testing.T) (paths []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range s.pages(t) {
		kind := several.ReplaceAllString(p, "$1/*/")
		if !seen[kind] || slices.Contains(phases, p) {
			paths = append(paths, p)
		}
		seen[kind] = true
	}
	return paths
}
