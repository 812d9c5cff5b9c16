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

	"github.com/chromedp/chromedp"
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
		shoot(b, s.base, moment.name, "", desktop, phone)
		if moment.name == "closed" {
			shoot(b, s.base+"ar/", moment.name, "-rtl", desktop, phone)
		}
	}
}

// Letters, as their test keeps them: mail-closed-phone-light.png.
func TestPicturesOfMail(t *testing.T) {
	server := httptest.NewServer(http.FileServer(http.Dir("../../notify/letter/testdata")))
	t.Cleanup(server.Close)
	b := newTab(t, winter)
	for _, kind := range []string{"announced", "closed"} {
		shoot(b, server.URL+"/"+kind+".html", "mail-"+kind, "", phone)
	}
}

// shoot takes a page's pictures on each of the screens, light and dark.
func shoot(b tab, address, name, suffix string, screens ...screen) {
	b.Helper()
	for _, s := range screens {
		for _, scheme := range []string{"light", "dark"} {
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
