package locale

import "testing"

func TestIsolate(t *testing.T) {
	english, arabic := English(), BuiltIn("ar")
	for _, tt := range []struct {
		l       *Language
		s, want string
	}{
		{english, "Harbour Books", "Harbour Books"},
		{english, "Café Łódź", "Café Łódź"},
		{english, "مكتبة", "\u2068مكتبة\u2069"},
		{arabic, "مكتبة", "مكتبة"},
		{arabic, "09:00", "09:00"},
		{arabic, "Harbour Books", "\u2068Harbour Books\u2069"},
		{arabic, "مكتبة Harbour", "\u2068مكتبة Harbour\u2069"},
		{arabic, "\u2068a\u2069 و\u2068b\u2069", "\u2068a\u2069 و\u2068b\u2069"},
	} {
		if got := tt.l.Isolate(tt.s); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.l.Tag, got, tt.want)
		}
	}
	if got := arabic.Text("index.question", "Shop", "Harbour Books"); got != "\u2068Harbour Books\u2069: مفتوح أم مغلق؟" {
		t.Errorf("got %q", got)
	}
	if got := arabic.Address("+351 21"); got != "\u2066+351 21 \u2069" {
		t.Errorf("got %q", got)
	}
}

func TestDirection(t *testing.T) {
	for _, tag := range Tags() {
		if l := BuiltIn(tag); l.Dir != Direction(tag) {
			t.Errorf("%s is %s in its catalogue", tag, l.Dir)
		}
	}
	for tag, want := range map[string]string{"he": "rtl", "az-arab": "rtl", "az": "ltr", "pt-br": "ltr", "": "ltr"} {
		if got := Direction(tag); got != want {
			t.Errorf("%s: %s", tag, got)
		}
	}
}
