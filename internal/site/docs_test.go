package site

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// The examples in the documentation are parts of what a site really holds.
func TestDocumentedExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	in := input(t, "2026-12-29 11:00")
	in.Known = known(t)
	files := build(t, in)
	examples := regexp.MustCompile("(?s)```json (\\S+)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(examples) != 2 {
		t.Errorf("%d examples of JSON", len(examples))
	}
	for _, example := range examples {
		if !isPart(decode[any](t, []byte(example[2])), decode[any](t, files[example[1]])) {
			t.Errorf("%s is not so: %s", example[1], files[example[1]])
		}
	}
	for _, path := range regexp.MustCompile(`https://status\.harbourbooks\.example/([^"; \n]+)`).FindAllStringSubmatch(string(text), -1) {
		if files[path[1]] == nil {
			t.Errorf("there is no %s", path[1])
		}
	}
	script := string(files["banner.js"])
	for _, name := range regexp.MustCompile(`data-([a-z]+)`).FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(script, name[1]+":") {
			t.Errorf("the banner doesn't know data-%s", name[1])
		}
	}
}

// isPart tells whether the whole has everything that the part has.
func isPart(part, whole any) bool {
	switch part := part.(type) {
	case map[string]any:
		w, ok := whole.(map[string]any)
		for key, value := range part {
			there, has := w[key]
			ok = ok && has && isPart(value, there)
		}
		return ok
	case []any:
		w, ok := whole.([]any)
		for _, value := range part {
			found := false
			for _, candidate := range w {
				found = found || isPart(value, candidate)
			}
			ok = ok && found
		}
		return ok && (len(part) > 0 || len(w) == 0)
	}
	return reflect.DeepEqual(part, whole)
}
