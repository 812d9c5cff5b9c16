package site

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/templates"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// The style sheet and the script are the same in every page, and have tests of
// their own.
var sameBlocks = regexp.MustCompile(`(?s)(<style>|<script data-[^>]*>).*?(</style>|</script>)`)

func TestGolden(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Known = known(t)
	dir := filepath.Join("testdata", "golden")
	golden := Files{}
	for name, content := range build(t, in) {
		golden[name] = sameBlocks.ReplaceAll(content, []byte("$1$2"))
	}
	if *updateGolden {
		if err := Write(dir, literal(golden)); err != nil {
			t.Fatal(err)
		}
	}
	want := read(t, dir)
	if got := slices.Sorted(maps.Keys(golden)); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		t.Errorf("files: got %q, want %q", got, slices.Sorted(maps.Keys(want)))
	}
	for name := range want {
		if !bytes.Equal(golden[name], want[name]) {
			t.Errorf("%s is not as in %s; see the difference with: go test ./internal/site -update && git diff", name, dir)
		}
	}
}

// read gives the files under dir.
func read(t testing.TB, dir string) Files {
	t.Helper()
	files := Files{}
	dir = resolved(dir)
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(rel)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSameInputSameBytes(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Known, in.Drafts = known(t), true
	first := build(t, in)
	for range 5 {
		rand.Shuffle(len(in.Notices), func(i, j int) { in.Notices[i], in.Notices[j] = in.Notices[j], in.Notices[i] })
		for name, content := range build(t, in) {
			if !bytes.Equal(content, first[name]) {
				t.Fatalf("%s depends on the order of the notices", name)
			}
		}
	}
}

func TestBuildKeepsItsInput(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	before := slices.Clone(in.Notices)
	build(t, in)
	if !slices.Equal(before, in.Notices) {
		t.Error("the notices were put in another order")
	}
}

func TestDraftsDoNotLeak(t *testing.T) {
	in := input(t, "2027-05-02 11:00") // the draft would be in force
	for name, content := range build(t, in) {
		if bytes.Contains(content, []byte("Maybe")) || strings.Contains(name+string(content), "plans") {
			t.Errorf("%s tells of the draft", name)
		}
	}
}

func TestDraftsAreShownOnRequestOnly(t *testing.T) {
	in := input(t, "2027-05-02 11:00")
	in.Drafts = true
	files := build(t, in)
	page := string(files["closures/plans/index.html"])
	for _, want := range []string{"Maybe closed in May", "Draft.", `content="noindex"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the draft's page lacks %q", want)
		}
	}
	for _, name := range []string{"feed.xml", "atom.xml", "feed.json", "closures.ics", "sitemap.xml", "status.json"} {
		if bytes.Contains(files[name], []byte("plans")) {
			t.Errorf("%s tells of the draft", name)
		}
	}
}

func TestReopeningPlanIsNeverPublished(t *testing.T) {
	for _, now := range []string{"2026-12-29 11:00", "2027-01-05 11:00"} {
		for name, content := range build(t, input(t, now)) {
			if bytes.Contains(content, []byte("stock counted")) || bytes.Contains(content, []byte("test order")) {
				t.Errorf("%s tells of the reopening plan", name)
			}
		}
	}
}

// However long the history, the news of a closure and the list of those ahead.
func TestIndexStaysSmall(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	in.Notices = append(in.Notices, many(t, 800)...)
	random := rand.New(rand.NewPCG(1, 2))
	words := func(n int) string {
		var b strings.Builder
		for range n {
			fmt.Fprintf(&b, "word%d ", random.IntN(1000))
		}
		return b.String()
	}
	in.Notices[0].Body = words(100) + "\n\n" + words(1000)
	for i := range 40 {
		update := notice.Update{At: in.Now.Add(time.Duration(-i) * time.Hour), Title: words(3), Body: words(150)}
		in.Notices[0].Updates = append(in.Notices[0].Updates, update)
	}
	for i, n := range many(t, 60) {
		n.Slug, n.Title, n.Body = fmt.Sprintf("ahead-%d", i), words(4), words(30)
		n.Closes.Time, n.Reopens.Time = in.Now.AddDate(0, 0, 7*i+1), in.Now.AddDate(0, 0, 7*i+3)
		n.Published, n.Updates = notice.Moment{}, nil
		in.Notices = append(in.Notices, n)
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write(build(t, in)["index.html"]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if zipped.Len() > 14<<10 {
		t.Errorf("the index has %d bytes, compressed", zipped.Len())
	}
}

func TestLongTextsAreCut(t *testing.T) {
	words := func(n int) string { return strings.TrimSpace(strings.Repeat("word ", n)) }
	fits := brief / len("word ")
	for text, want := range map[string]string{
		words(fits):                        words(fits),
		words(fits * 2):                    words(fits) + " …",
		words(fits-9) + "\n\n" + words(99): words(fits-9) + "\n\n…",
		"Hi.\n\n" + words(fits):            "Hi.\n\n" + words(fits-1) + " …",
		strings.Repeat("é", brief):         strings.Repeat("é", brief/2) + " …",
		"a" + strings.Repeat("é", brief):   "a" + strings.Repeat("é", brief/2-1) + " …",
	} {
		if got := cut(text); got != want {
			t.Errorf("%.20q… of %d bytes became %.20q… of %d, want %d", text, len(text), got, len(got), len(want))
		}
	}
}

func TestIndexLeadsToEarlierUpdates(t *testing.T) {
	in := input(t, "2026-12-29 11:00")
	const link = `<a href="closures/winter-break/index.html#updates">All updates<`
	if index := string(build(t, in)["index.html"]); strings.Contains(index, link) {
		t.Error("a link to earlier updates where there are none")
	}
	for i := range 2 {
		in.Notices[0].Updates = append(in.Notices[0].Updates, notice.Update{At: at(t, "2026-12-25 09:00").Time.Add(time.Duration(i) * time.Hour), Title: "Early news", Body: "Early."})
	}
	index := string(build(t, in)["index.html"])
	if got := strings.Count(index, "Early news"); got != 1 || !strings.Contains(index, link) {
		t.Errorf("four updates: %d early ones, and no link, or more than the newest three", got)
	}
}

func TestHistoryHasEveryPastClosureInItsYear(t *testing.T) {
	in := input(t, "2027-06-29 11:00")
	newYear := &notice.Notice{Slug: "new-year", Title: "New Year", Closes: at(t, "2026-12-31 23:30"), Reopens: at(t, "2027-01-02")}
	in.Notices = append(in.Notices, newYear)
	in.Known = &Known{Notices: map[string]Facts{"new-year": {Closed: at(t, "2027-01-01 00:10").Time}}}
	files := build(t, in)
	for slug, year := range map[string]string{
		"summer": "2026", "stocktaking": "2027", "fair": "2027", "flood": "2026", "move": "2025", "strike": "2025", "new-year": "2027",
	} {
		for _, y := range []string{"2025", "2026", "2027"} {
			has := bytes.Contains(files["history/"+y+"/index.html"], []byte(closurePath(slug)))
			if has != (y == year) {
				t.Errorf("%s in history/%s: %v", slug, y, has)
			}
		}
	}
}

func TestThemeErrorsNameFileAndLine(t *testing.T) {
	theme := func(name, text string) fstest.MapFS {
		files := fstest.MapFS{}
		for _, f := range slices.Concat(shared, pageFiles, []string{"style.css", "live.js"}) {
			files["pages/"+f] = &fstest.MapFile{Data: []byte(`{{define "main"}}{{end}}{{define "gone"}}{{end}}.`)}
		}
		files["pages/banner.js"], files["pages/banner.css"] = &fstest.MapFile{}, &fstest.MapFile{}
		files["pages/live.js"] = &fstest.MapFile{Data: []byte("look()")}
		files["pages/"+name] = &fstest.MapFile{Data: []byte(text)}
		return files
	}
	missing := theme("index.html", "")
	delete(missing, "pages/year.html")
	for want, files := range map[string]fstest.MapFS{
		`templates/pages/index.html:2: function "shout" not defined`: theme("index.html", "<p>\n{{shout .}}"),
		`templates/pages/layout.html:2:`:                             theme("layout.html", "<p>\n{{.Nothing}}"),
		`templates/pages/layout.html:3:`:                             theme("layout.html", "<p>\n\n<a href='{{if .Root}}'{{end}}>"),
		`templates/pages/year.html: file does not exist`:             missing,
		`templates/pages/live.js:2:4: `:                              theme("live.js", "look(\n)  look"),
	} {
		in := input(t, "2026-12-29 11:00")
		in.Theme = files
		_, err := in.build()
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s…", err, want)
		}
	}
}

func TestSiteOverridesTheme(t *testing.T) {
	dir := t.TempDir()
	pages := filepath.Join(dir, "templates", "pages")
	if err := os.MkdirAll(pages, 0o755); err != nil {
		t.Fatal(err)
	}
	own := `{{define "title"}}Hm{{end}}{{define "main"}}<p>Our own words, {{.Shop}}</p>{{end}}`
	if err := os.WriteFile(filepath.Join(pages, "404.html"), []byte(own), 0o644); err != nil {
		t.Fatal(err)
	}
	in := input(t, "2026-12-29 11:00")
	in.Theme = templates.FS(dir)
	files := build(t, in)
	if !bytes.Contains(files["404.html"], []byte("Our own words, Harbour Books")) {
		t.Error("the site's own 404.html was not used")
	}
	if !bytes.Contains(files["index.html"], []byte("Closed.")) {
		t.Error("the theme's index.html was not used")
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			in := input(b, "2026-12-29 11:00")
			in.Notices = append(in.Notices, many(b, n)...)
			b.ReportAllocs()
			for b.Loop() {
				build(b, in)
			}
		})
	}
}
