//go:build pictures

package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestPictureOfTheDemo takes docs/demo.png: the screen with a closure in force,
// its mails, and the log of it.
func TestPictureOfTheDemo(t *testing.T) {
	d := startDemo(t)
	browser, seen := openScreen(t, d, 1440, 900)
	do(t, browser, inLight())
	awaitIn(t, browser, "#mails", "Closed for the winter break")
	do(t, browser, click(".new summary"), chromedp.SendKeys(chromedp.CSS("#title"), "Burst pipe"), click(".new button"))
	awaitIn(t, browser, "#editor label", "content/closures/burst-pipe.md")
	now := time.Now().In(lisbon(t))
	selectText(t, browser)
	do(t, browser, typed(burstPipe(now)), click(".save button"))
	awaitIn(t, browser, "#front", "Harbour Books is closed until")
	awaitPane(t, browser, "status", "Closed after a burst pipe")
	awaitPane(t, browser, "checkout", "The checkout is closed")
	awaitIn(t, browser, "#lines", "mail “closed” of burst-pipe done: 3 sent")
	awaitTrue(t, browser, `document.querySelectorAll(".frame iframe").length === 2 && document.querySelectorAll("#mails li").length === 6`)
	seen.check(t)
	png, err := chromedp.Run(browser, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("../../docs/demo.png", png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// burstPipe is a notice that closes the shop until the next morning.
func burstPipe(now time.Time) string {
	const layout = "2006-01-02 15:04"
	morning := time.Date(now.Year(), now.Month(), now.Day()+1, 9, 0, 0, 0, now.Location())
	return fmt.Sprintf(`---
title: Closed after a burst pipe
published: %[1]s
closes: %[1]s
reopens: %[2]s
facts:
  Orders in progress: sent out tomorrow
contact: {label: Helpline, url: "tel:+351210000000"}
---
Water runs through the shop. Your orders are safe
on the upper shelves; new ones have to wait.

## %[1]s The water is off
The plumber has found the leak. We are mopping.
`, now.Format(layout), morning.Format(layout))
}

// inLight is a browser whose user likes light pages, and no motion.
func inLight() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: "light"}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	})
}
