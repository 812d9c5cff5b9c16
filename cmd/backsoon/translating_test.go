package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon"
	"github.com/backsoon/backsoon/internal/config"
)

// example is a file that docs/translating.md shows; the line before ends with its
// path.
var example = regexp.MustCompile("(?ms)`(\\S+)`:\n\n```[a-z]+\n(.*?)^```$")

// TestTranslatingIsTrue: the examples of docs/translating.md, put into the sample
// shop, make the page that they promise.
func TestTranslatingIsTrue(t *testing.T) {
	s := &site{dir: t.TempDir()}
	if err := os.CopyFS(s.dir, backsoon.Sample); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/translating.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := example.FindAllStringSubmatch(string(doc), -1)
	if len(examples) != 3 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, e := range examples {
		putExample(t, filepath.Join(s.dir, filepath.FromSlash(e[1])), e[2])
	}
	if err := s.load(); err != nil {
		t.Fatal(err)
	}
	e, err := s.edition(time.Date(2026, 12, 29, 11, 0, 0, 0, s.cfg.Shop.Location))
	if err != nil {
		t.Fatal(err)
	}
	page, err := e.Render("pt/closures/winter-break/index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Fechado para as férias de inverno", "Últimas encomendas", "Linha de apoio", "Volto já.", "Abro "} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
}

// putExample writes a file of the site; settings are added to those there are.
func putExample(t *testing.T, path, text string) {
	t.Helper()
	if filepath.Base(path) == config.File {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text = string(before) + "\n" + text
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
