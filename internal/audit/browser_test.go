package audit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var (
	backsoon string          // the command, built once
	browser  context.Context // one process for all tests
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "backsoon-audit-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	backsoon = filepath.Join(dir, "backsoon")
	if out, err := exec.Command("go", "build", "-o", backsoon, "../../cmd/backsoon").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %s\n", err, out)
		return 1
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-GB"))
	all, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	var leave context.CancelFunc
	browser, leave = chromedp.NewContext(all)
	defer leave()
	if err := chromedp.Do(browser); err != nil { // it starts with the first of its tabs
		fmt.Fprintf(os.Stderr, "the browser does not start: %v\n", err)
		return 1
	}
	return m.Run()
}

// patience bounds what one page may take.
const patience = 30 * time.Second

// A tab shows pages, one after the other, for the time of a test.
type tab struct {
	*testing.T
	ctx context.Context
}

// newTab opens a tab whose clocks stand still at now, in the shop's zone: pages
// change as time passes.
func newTab(t *testing.T, now string) tab {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := chromedp.NewContext(browser)
	t.Cleanup(leave)
	if err := chromedp.Do(ctx); err != nil { // a context with a deadline would take the tab with it
		t.Fatal(err)
	}
	b := tab{t, ctx}
	send(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: fmt.Sprintf(clock, moment.UnixMilli())})
	send(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Lisbon"})
	return b
}

// clock stops a page's clocks.
const clock = `Date = class extends Date {
	constructor(...when) { when.length ? super(...when) : super(%[1]d) }
	static now() { return %[1]d }
}`

// of is the same tab in a subtest.
func (b tab) of(t *testing.T) tab { return tab{t, b.ctx} }

func (b tab) do(action chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil {
		b.Fatal(err)
	}
}

func (b tab) visit(address string) {
	b.Helper()
	b.do(chromedp.Navigate(address))
}

// resize sets the width and height in CSS pixels, and how many of the screen's
// pixels make one.
func (b tab) resize(width, height int64, scale float64, how ...chromedp.EmulateViewportOption) {
	b.Helper()
	b.do(chromedp.EmulateViewport(width, height, append(how, chromedp.EmulateScale(scale))...))
}

// scripts lets the pages to come run theirs, or not.
func (b tab) scripts(on bool) {
	b.Helper()
	send(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

func send[P, R any](b tab, command cdp.Command[P, R], params P) R {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.Fatal(err)
	}
	return result
}

// ask gives the value of an expression in the page. A promise is waited for.
func ask[T any](b tab, expression string) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatal(err)
	}
	return value
}
