package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeUntil: the end of the context is no error; a listener that is lost
// before it is.
func TestServeUntil(t *testing.T) {
	for name, want := range map[string]string{"the end": "", "lost": "nobody is answered any more"} {
		t.Run(name, func(t *testing.T) {
			l, err := listen("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			ctx, end := context.WithCancel(t.Context())
			defer end()
			if want == "" {
				end()
			} else if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			serveUntil(ctx, l, http.NotFoundHandler(), slog.New(slog.NewTextHandler(&log, nil)))
			if got := log.String(); (got == "") != (want == "") || !strings.Contains(got, want) {
				t.Errorf("logged %q", got)
			}
		})
	}
}

// TestToldToEndBeforeItHasBegun: a service that is stopped while it starts has not failed.
func TestToldToEndBeforeItHasBegun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop")
	var out bytes.Buffer
	if code := run(t.Context(), []string{"init", dir}, &out, &out); code != exitDone {
		t.Fatal(out.String())
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if code := run(ctx, []string{"--site", dir, "watch"}, &out, &out); code != exitDone {
		t.Error(out.String())
	}
}
