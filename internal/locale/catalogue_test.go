package locale

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestLoadLayersCatalogues(t *testing.T) {
	own := fstest.MapFS{"words/en.yaml": &fstest.MapFile{Data: []byte("answer:\n  open: {word: \"Come in\"}\n")}}
	l, err := Load(own, "en")
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Text("answer.open.word"); got != "Come in" {
		t.Errorf("the site's own words are not used: %q", got)
	}
	if got := l.Text("answer.delayed.word"); got != "Reopening delayed." {
		t.Errorf("what the site leaves out has become %q", got)
	}
	if before, after := l.Around("answer.closed-until.then", "At"); before != "Reopens " || after != "" {
		t.Errorf("around a moment: %q, %q", before, after)
	}
	if got := l.Text("list", "Most", "{{.Last}}", "Last", "<b>"); got != "{{.Last}} and <b>" {
		t.Errorf("values are not kept as they are: %q", got)
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	broken := fstest.MapFS{"words/en.yaml": &fstest.MapFile{Data: []byte("answer:\n\topen: [")}}
	if _, err := Load(broken, "en"); err == nil || !strings.HasPrefix(err.Error(), "templates/words/en.yaml:2:") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(broken, "tlh"); err == nil || !strings.Contains(err.Error(), "the languages are ") {
		t.Errorf("got %v", err)
	}
}

func TestBest(t *testing.T) {
	for accept, want := range map[string]string{
		"": "en", "pt-BR,pt;q=0.9": "pt", "ja": "en", "de;q=0.3, ar": "ar", "no, ;;": "en",
	} {
		if got := Best([]string{"en", "pt", "ar"}, accept); got != want {
			t.Errorf("%q: got %s, want %s", accept, got, want)
		}
	}
}
