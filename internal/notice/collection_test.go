package notice

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// collect reads a folder with these files, of a site in English and Portuguese.
func collect(t *testing.T, files map[string]string) (c *Collection, dir string) {
	t.Helper()
	dir = site(t, files)
	c = NewCollection(dir, Surroundings{Location: zone(t, "Europe/Lisbon"), Storefronts: []string{"web"}, Languages: []string{"en", "pt"}})
	if err := c.Read(); err != nil {
		t.Fatal(err)
	}
	return c, dir
}

const (
	withUpdate   = "---\ntitle: Flood\npublished: 2026-11-20 08:00\ncloses: 2026-11-20 08:00\nfacts:\n  Parcels: late\n---\nWater.\n\n## 2026-11-20 10:00 Still wet\n\nMore water.\n"
	inPortuguese = "---\ntitle: Inundação\n---\nÁgua.\n\n## 2026-11-20 10:00 Ainda molhado\n\nMais água.\n"
)

var midday = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestCollectionJoinsTranslations(t *testing.T) {
	c, _ := collect(t, map[string]string{"flood.md": withUpdate, "flood.pt.md": inPortuguese})
	notices, problems := c.Notices(midday)
	if len(notices) != 1 || len(problems) > 0 {
		t.Fatalf("%v, %v", notices, problems)
	}
	pt := notices[0].In("pt")
	if pt.Title != "Inundação" || pt.Body != "Água." || pt.Updates[0].Title != "Ainda molhado" || pt.Updates[0].Language != "pt" {
		t.Errorf("got %+v", pt)
	}
	if !pt.Closes.Equal(notices[0].Closes.Time) || pt.Facts[0].Text != "late" {
		t.Errorf("times and facts are not the notice's own: %+v", pt)
	}
	if de := notices[0].In("de"); de != notices[0] {
		t.Errorf("in a language that it isn't translated into: %+v", de)
	}
}

func TestCollectionFindsWhatIsWrongWithTranslations(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"content/closures/flood.pt.md:1:1: translates flood, which is not there":        {"flood.pt.md": inPortuguese},
		"content/closures/flood.en.md:1:1: translates into en, in which":                {"flood.md": withUpdate, "flood.en.md": inPortuguese},
		"content/closures/flood.xx.md:1:1: is in xx, which is none of the site's":       {"flood.md": withUpdate, "flood.xx.md": inPortuguese},
		"content/closures/flood.pt.md:3:9: closes: comes from the notice itself":        {"flood.md": withUpdate, "flood.pt.md": "---\ntitle: I\ncloses: 2026-11-20\n---\nÁgua.\n"},
		"content/closures/flood.pt.md:1:1: has no text below the second ---":            {"flood.md": withUpdate, "flood.pt.md": "---\ntitle: I\n---\n"},
		"content/closures/flood.pt.md:6:1: update: content/closures/flood.md has no up": {"flood.md": withUpdate, "flood.pt.md": "---\ntitle: I\n---\nÁgua.\n\n## 2026-11-20 11:00 Quando?\n"},
		"content/closures/flood.md:": {"flood.md": "---\ntitle: x\n---\n", "flood.pt.md": inPortuguese},
	} {
		c, _ := collect(t, files)
		_, problems := c.Notices(midday)
		if errs := problems.Errors(); len(errs) != 1 || !strings.HasPrefix(errs[0].String(), want) {
			t.Errorf("got %v, want %s…", errs, want)
		}
	}
}

func TestCollectionKeepsWhatDidNotChange(t *testing.T) {
	c, dir := collect(t, map[string]string{"flood.md": withUpdate, "flood.pt.md": inPortuguese, "other.md": minimal})
	before, _ := c.Notices(midday)
	save := func(name, src string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, Folder, name), []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
		c.ReadOne(name)
	}
	save("flood.pt.md", strings.Replace(inPortuguese, "Mais", "Muita", 1))
	after, _ := c.Notices(midday)
	if after[1] != before[1] {
		t.Error("other was parsed anew")
	}
	if after[0] == before[0] || after[0].In("pt").Updates[0].Body != "Muita água." {
		t.Errorf("the new translation does not count: %+v", after[0].In("pt"))
	}
	if err := os.Remove(filepath.Join(dir, Folder, "flood.pt.md")); err != nil {
		t.Fatal(err)
	}
	c.ReadOne("flood.pt.md")
	if bare, _ := c.Notices(midday); bare[0].In("pt") != bare[0] {
		t.Error("the translation is gone, and still counts")
	}
	if err := os.Remove(filepath.Join(dir, Folder, "other.md")); err != nil {
		t.Fatal(err)
	}
	if err := c.Read(); err != nil {
		t.Fatal(err)
	}
	if rest, _ := c.Notices(midday); len(rest) != 1 {
		t.Errorf("%d notices are left", len(rest))
	}
}

func TestCollectionFindsRenames(t *testing.T) {
	for _, copied := range []string{"z-winter", "winter-break-2"} { // the second file comes before that of winter-break
		c, _ := collect(t, map[string]string{"winter-break.md": minimal, copied + ".md": minimal, "other.md": withUpdate})
		_, problems := c.Notices(midday)
		want := "content/closures/" + copied + ".md:1:1: looks like a rename of winter-break; a slug is for ever: call the file winter-break.md again"
		if got := problems.Errors(); len(got) != 1 || !strings.HasPrefix(got[0].String(), want) {
			t.Errorf("got %v", got)
		}
	}
}
