package main

import (
	"bytes"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// A browser reloads when its page has changed, and only then.
func TestPreviewTellsOfChangesAlone(t *testing.T) {
	dir := newSite(t)
	p := newPreview(dir, &url.URL{Scheme: "http", Host: "127.0.0.1:8000", Path: "/"})
	now := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	p.begin(now)
	// changed tells whether the page of the notice, and the index, are others after do.
	changed := func(do func()) (closure, index bool) {
		t.Helper()
		before := p.shown
		do()
		if p.shown.mistake != nil {
			t.Fatal(p.shown.mistake)
		}
		return !before.same(p.shown, "closures/stocktake/index.html"), !before.same(p.shown, "index.html")
	}
	if closure, index := changed(func() { p.follow(now.Add(time.Minute)) }); closure || index {
		t.Error("nothing to see has changed, but browsers are told to reload")
	}
	closure, index := changed(func() {
		save(t, dir, "content/closures/stocktake.md", strings.Replace(previewNotice, "draft: yes\n", "", 1))
		p.follow(now, "stocktake.md")
	})
	if !closure || !index {
		t.Error("a draft was published, and no browser hears of it")
	}
	if closure, index := changed(func() { p.follow(now.Add(2 * time.Hour)) }); !closure || !index {
		t.Error("the closing came, and no browser hears of it")
	}
	closure, index = changed(func() {
		save(t, dir, "content/closures/other.md", strings.Replace(previewNotice, "everything", "the rest", 1))
		p.follow(now.Add(2*time.Hour), "other.md")
	})
	if closure || !index {
		t.Errorf("another notice came: its neighbour's page %v, the index %v", closure, index)
	}
	if err := os.Remove(dir + "/backsoon.yaml"); err != nil {
		t.Fatal(err)
	}
	if p.begin(now); p.shown.mistake == nil || p.shown.pages != nil {
		t.Errorf("without settings: %v", p.shown.mistake)
	}
}

// A theme may leave the body's end out.
func TestReloadWithoutBody(t *testing.T) {
	for page, want := range map[string]string{
		"<p>open</p></body></html>": "<p>open</p><script>",
		"<p>open</p>":               "<p>open</p><script>",
	} {
		if got := string(withReload([]byte(page), 1, "/")); !strings.HasPrefix(got, want) {
			t.Errorf("%s became %s", page, got)
		}
	}
}

// TestPreviewHasTheForm: what is shown before it is published is what customers
// will see.
func TestPreviewHasTheForm(t *testing.T) {
	dir := newSite(t)
	settings, err := os.ReadFile(dir + "/backsoon.yaml")
	if err != nil {
		t.Fatal(err)
	}
	form := []byte(`<form method="post" action="https://closures.example/subscribe">`)
	for _, more := range []string{"", "\nemail: {from: a@b.example, server: \"smtp://localhost\"}\nlisten: 127.0.0.1:8080\npublic_url: https://closures.example/\n"} {
		save(t, dir, "backsoon.yaml", string(settings)+more)
		p := newPreview(dir, &url.URL{Scheme: "http", Host: "127.0.0.1:8000", Path: "/"})
		p.begin(time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC))
		page, err := p.shown.page("index.html")
		if err != nil || bytes.Contains(page, form) != (more != "") {
			t.Errorf("with%q: %v, or the form is there or not:\n%s", more, err, page)
		}
	}
}
