//go:build pictures

package audit

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/notify/letter"
	"github.com/backsoon/backsoon/templates"
)

// pictures is where docs/ has them.
const pictures = "../../docs/pictures"

// The moments of the sample shop's winter that are shown, on Lisbon's clocks.
var moments = []struct{ name, now string }{
	{"open", "2026-11-10T12:00:00Z"},
	{"scheduled", "2026-12-12T12:00:00Z"},
	{"closed", winter},
	{"delayed", "2027-01-02T11:00:00Z"},
}

// The status page as it is open, scheduled, closed and delayed, and from right to
// left: closed-phone-dark.png, closed-phone-dark-rtl.png.
func TestPicturesOfTheStatusPage(t *testing.T) {
	for _, moment := range moments {
		s := newSite(t, moment.now, "testdata/shop")
		b := newTab(t, moment.now)
		shoot(b, s.base, moment.name, "", both, desktop, phone)
		if moment.name == "closed" {
			shoot(b, s.base+"ar/", moment.name, "-rtl", both, desktop, phone)
		}
	}
}

// sending is a mail and when it goes out.
type sending struct {
	letter.Kind
	now string
}

// letters are the mails of one winter, each as of when it goes out.
var letters = []sending{
	{letter.Announced, "2026-11-20T12:00:00Z"},
	{letter.Changed, "2026-12-05T09:00:00Z"},
	{letter.Reminder, "2026-12-21T18:00:00Z"},
	{letter.ClosedNow, "2026-12-24T18:00:00Z"},
	{letter.Update, "2026-12-26T10:30:00Z"},
	{letter.Delayed, "2027-01-02T09:00:00Z"},
	{letter.Reopened, "2027-01-02T10:40:00Z"},
	{letter.Cancelled, "2026-12-10T09:00:00Z"},
}

// All kinds of mail, and the question whether somebody wants them:
// mail-closed-phone-light.png. small is the narrowest telephone.
func TestPicturesOfMail(t *testing.T) {
	server, b := httptest.NewServer(mailServer(t)), newTab(t, winter)
	t.Cleanup(server.Close)
	small := screen{"small", 320, 640, 2, phone.how}
	kinds := []string{"question", "known"}
	for _, l := range letters {
		kinds = append(kinds, string(l.Kind))
	}
	for _, kind := range kinds {
		shootWhole(b, server.URL+"/"+kind, "mail-"+kind, "", light, desktop, phone)
	}
	for _, kind := range []string{"closed", "delayed", "reopened", "question"} {
		shootWhole(b, server.URL+"/"+kind, "mail-"+kind, "", dark, phone)
	}
	for _, kind := range []string{"closed", "question"} {
		shootWhole(b, server.URL+"/"+kind, "mail-"+kind, "", light, small)
		shootWhole(b, server.URL+"/"+kind+"?in=ar", "mail-"+kind, "-rtl", light, phone)
	}
	shootWhole(b, server.URL+"/closed?in=ar", "mail-closed", "-rtl", dark, phone)
}

// mailServer shows the HTML of the mails, in the language ?in= or in English.
func mailServer(t *testing.T) http.Handler {
	t.Setenv("STATUS_URL", "https://status.harbourbooks.example/")
	cfg, err := config.Load("testdata/shop")
	if err != nil {
		t.Fatal(err)
	}
	closures := notice.NewCollection(cfg.Dir, cfg.Surroundings())
	if err := closures.Read(); err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		words := locale.BuiltIn(cmp.Or(r.URL.Query().Get("in"), "en"))
		l, err := mailOf(cfg, closures, words, r.URL.Path[1:])
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(l.HTML))
	})
}

func mailOf(cfg *config.Config, closures *notice.Collection, words *locale.Language, kind string) (letter.Letter, error) {
	leave := "https://closures.harbourbooks.example/unsubscribe/…"
	now, _ := time.Parse(time.RFC3339, winter)
	if kind == "question" || kind == "known" {
		r := letter.Request{Storefronts: []string{"web"}, Known: kind == "known", Confirm: leave, Leave: leave, Now: now, Expires: now.Add(48 * time.Hour)}
		return letter.Ask(templates.FS(""), cfg, words, r)
	}
	i := slices.IndexFunc(letters, func(l sending) bool { return string(l.Kind) == kind })
	if i < 0 {
		return letter.Letter{}, nil // the browser asks for an icon
	}
	now, err := time.Parse(time.RFC3339, letters[i].now)
	if err != nil {
		return letter.Letter{}, err
	}
	notices, _ := closures.Notices(now.AddDate(1, 0, 0)) // nothing in it lies ahead then
	at := slices.IndexFunc(notices, func(n *notice.Notice) bool { return n.Slug == "winter-break" })
	return letter.Compose(templates.FS(""), cfg, words, letter.Facts{Kind: letter.Kind(kind), Notice: notices[at], Update: now, Storefronts: []string{"web"}, Now: now})
}

// shootWhole takes pictures of a page down to its end, as somebody who scrolls sees it.
func shootWhole(b tab, address, name, suffix string, schemes []string, screens ...screen) {
	b.Helper()
	for _, s := range screens {
		s.height = 300
		b.show(s, "light")
		b.visit(address)
		if width := ask[int64](b, "document.documentElement.scrollWidth"); width > s.width {
			b.Errorf("%s is %d wide on a screen of %d", name, width, s.width)
		}
		s.height = ask[int64](b, "document.documentElement.scrollHeight")
		shoot(b, address, name, suffix, schemes, s)
	}
}

// How a reader's device may want a page.
var (
	light = []string{"light"}
	dark  = []string{"dark"}
	both  = []string{"light", "dark"}
)

// shoot takes a page's pictures in each of the schemes on each of the screens.
func shoot(b tab, address, name, suffix string, schemes []string, screens ...screen) {
	b.Helper()
	for _, s := range screens {
		for _, scheme := range schemes {
			b.show(s, scheme)
			b.visit(address)
			picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				b.Fatal(err)
			}
			keep(b.T, name+"-"+s.name+"-"+scheme+suffix+".png", picture)
		}
	}
}

// keep writes a picture, as small as it goes.
func keep(t *testing.T, name string, picture []byte) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, paletted(img)); err != nil {
		t.Fatal(err)
	}
	if small.Len() > 150_000 {
		t.Errorf("%s has %d bytes; a page of docs/ is to open at once", name, small.Len())
	}
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pictures, name), small.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// paletted draws a picture with the 256 colours of which it has most. Of a page
// all but some shades at the letters' edges are among them.
func paletted(img image.Image) *image.Paletted {
	count := map[color.RGBA]int{}
	bounds := img.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[rgba(img, x, y)]++
		}
	}
	often := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for _, c := range often[:min(len(often), 256)] {
		palette = append(palette, c)
	}
	nearest := map[color.RGBA]uint8{}
	for c := range count {
		nearest[c] = uint8(palette.Index(c))
	}
	drawn := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			drawn.SetColorIndex(x, y, nearest[rgba(img, x, y)])
		}
	}
	return drawn
}

func rgba(img image.Image, x, y int) color.RGBA {
	return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
}
