//go:build audit || pictures

package audit

import (
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A screen is one on which a page is shown.
type screen struct {
	name          string
	width, height int64
	scale         float64
	how           []chromedp.EmulateViewportOption
}

var (
	desktop = screen{"desktop", 1280, 800, 1, nil}
	phone   = screen{"phone", 390, 844, 2, []chromedp.EmulateViewportOption{chromedp.EmulateMobile}}
)

// show gives the tab that screen. scheme asks for a light or a dark page, which
// then does not move.
func (b tab) show(s screen, scheme string) {
	b.Helper()
	b.resize(s.width, s.height, s.scale, s.how...)
	send(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}
