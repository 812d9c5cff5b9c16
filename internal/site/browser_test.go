package site

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// browser is the one that all tests share, started by the first that needs it.
var browser struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.stop != nil {
		browser.stop()
	}
	os.Exit(code)
}

// newTab opens a tab that remembers nothing of the others, until the test ends.
func newTab(t *testing.T) context.Context {
	t.Helper()
	browser.once.Do(func() { browser.err = startBrowser() })
	if browser.err != nil {
		t.Fatalf("no browser to test with (%v); install one: apt-get install chromium", browser.err)
	}
	tab, leave := chromedp.NewContext(browser.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(leave)
	if err := chromedp.Do(tab); err != nil {
		t.Fatal(err)
	}
	return tab
}

func startBrowser() error {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return err
	}
	profile, err := os.MkdirTemp("", "backsoon-browser-")
	if err != nil {
		return err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(ctx)
	browser.ctx = ctx
	browser.stop = func() {
		leave()
		end()
		os.RemoveAll(profile)
	}
	return chromedp.Do(ctx)
}

// run gives what the expression comes to in the tab, once its promise is kept.
func run[T any](t *testing.T, tab context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(tab, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%v in %s", err, expression)
	}
	return v
}
