package main

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// Browsers reload when there is something else to see, and only then.
func TestPreviewTellsOfChangesAlone(t *testing.T) {
	dir := newSite(t)
	p := newPreview(dir, &url.URL{Scheme: "http", Host: "127.0.0.1:8000", Path: "/"})
	now := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	edition := func(at time.Time) int64 {
		t.Helper()
		p.build(at)
		if p.shown.mistake != nil {
			t.Fatal(p.shown.mistake)
		}
		return p.shown.number
	}
	first := edition(now)

	save(t, dir, "content/notes.txt", "Nothing that anybody sees.")
	if again := edition(now.Add(time.Minute)); again != first {
		t.Error("nothing to see has changed, but browsers are told to reload")
	}
	save(t, dir, "content/closures/stocktake.md", strings.Replace(previewNotice, "draft: yes\n", "", 1))
	published := edition(now)
	if published == first {
		t.Error("a draft was published, and no browser hears of it")
	}
	if edition(now.Add(2*time.Hour)) == published {
		t.Error("the closing came, and no browser hears of it")
	}
	if err := os.Remove(dir + "/backsoon.yaml"); err != nil {
		t.Fatal(err)
	}
	if p.build(now); p.shown.mistake == nil || p.shown.files != nil {
		t.Errorf("without settings: %d files, %v", len(p.shown.files), p.shown.mistake)
	}
}

// A theme may leave the body's end out.
func TestReloadWithoutBody(t *testing.T) {
	for page, want := range map[string]string{
		"<p>open</p></body></html>": "<p>open</p><script>",
		"<p>open</p>":               "<p>open</p><script>",
	} {
		if got := string(withReload([]byte(page), 1)); !strings.HasPrefix(got, want) {
			t.Errorf("%s became %s", page, got)
		}
	}
}
