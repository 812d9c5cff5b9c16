//go:build audit

package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Every view is free of what axe-core calls a violation, in each of the looks
// that it can have, and is valid HTML.
func TestViews(t *testing.T) {
	sources := t.TempDir()
	b := newTab(t, winter)
	all := views(t)
	for _, v := range all {
		t.Run(v.name, func(t *testing.T) {
			if v.before != nil {
				v.before(t)
			}
			for _, finding := range v.judge(b.of(t)) {
				t.Error(finding)
			}
			v.save(t, sources)
		})
	}
	for _, finding := range invalid(t, sources) {
		t.Error(finding)
	}
	t.Logf("%d pages, each in %d looks", len(all), len(looks))
}

// looks are the ways in which a page is shown.
var looks = []struct {
	name, scheme string
	screen       screen
}{
	{"light desktop", "light", desktop}, {"dark desktop", "dark", desktop},
	{"dark phone", "dark", phone}, {"light phone", "light", phone},
}

// judge shows the view in every look, and lists the violations that axe-core
// finds there.
func (v view) judge(b tab) (findings []string) {
	b.Helper()
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		b.Fatal(err)
	}
	send(b, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}) // or axe-core could not run everywhere
	b.visit(v.address)
	if v.button {
		b.press("form button")
	}
	ask[any](b, string(axe)+";0")
	where := map[string][]string{}
	for _, l := range looks {
		b.show(l.screen, l.scheme)
		for _, violation := range ask[[]string](b, fmt.Sprintf(runAxe, v.letter)) {
			where[violation] = append(where[violation], l.name)
		}
	}
	for _, violation := range slices.Sorted(maps.Keys(where)) {
		findings = append(findings, "axe-core: "+violation+"  ("+strings.Join(where[violation], ", ")+")")
	}
	return findings
}

// press presses a button that leads to another page, and waits for that.
func (b tab) press(button string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(button, chromedp.NodeVisible)); err != nil {
		b.Fatal(err)
	}
}

// runAxe leaves frames out: what they show is looked at by itself. A letter is
// no page of its own: its landmarks are the mail program's.
const runAxe = `axe.run({
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
	rules: %t ? {"landmark-one-main": {enabled: false}, region: {enabled: false}} : {},
	resultTypes: ["violations"], iframes: false,
}).then(({violations}) => violations.flatMap(v => v.nodes.map(n => v.id + ": " + v.help + ": " + n.target.join(" ") + "  " + n.html)))`

var unfit = regexp.MustCompile(`[^\p{L}\p{N}]+`)

// save keeps the view's source for the checker of HTML, if it is the view that it
// ought to be.
func (v view) save(t *testing.T, folder string) {
	t.Helper()
	method := http.MethodGet
	if v.button {
		method = http.MethodPost
	}
	a := fetch(t, method, v.address)
	if a.status != cmp.Or(v.status, http.StatusOK) {
		t.Errorf("answered with %d", a.status)
	}
	name := strings.Trim(unfit.ReplaceAllString(v.name, "-"), "-") + ".html"
	if err := os.WriteFile(filepath.Join(folder, name), []byte(a.text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// invalid lists what html-validate finds in the pages of a folder.
func invalid(t *testing.T, folder string) (findings []string) {
	t.Helper()
	out, err := exec.Command("node_modules/.bin/html-validate", "--config", "htmlvalidate.json", "--formatter", "json", "--max-warnings", "0", folder).Output()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1 && len(out) > 0) {
		t.Fatalf("html-validate: %v: %s", err, out)
	}
	var files []struct {
		FilePath string
		Messages []struct {
			Line, Column    int
			RuleID, Message string
		}
	}
	if err := json.Unmarshal(out, &files); err != nil {
		t.Fatalf("html-validate: %v: %s", err, out)
	}
	for _, f := range files {
		for _, m := range f.Messages {
			findings = append(findings, fmt.Sprintf("%s:%d:%d: %s (%s)", filepath.Base(f.FilePath), m.Line, m.Column, m.Message, m.RuleID))
		}
	}
	return findings
}

// A page with some of the faults that the checkers are to find.
func TestCheckersFindFaults(t *testing.T) {
	server := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	t.Cleanup(server.Close)
	sources := t.TempDir()
	v := view{name: "broken", address: server.URL + "/broken.html"}
	v.save(t, sources)
	found := strings.Join(append(v.judge(newTab(t, winter)), invalid(t, sources)...), "\n")
	for _, want := range []string{
		`axe-core: link-name: .*\(light desktop, dark desktop, dark phone, light phone\)`,
		`axe-core: color-contrast: .*class="faint".*\(dark desktop, dark phone\)`,
		`axe-core: target-size: `,
		`broken.html:28:.*\(element-permitted-content\)`, `broken.html:27:.*\(no-dup-id\)`,
	} {
		if !regexp.MustCompile(want).MatchString(found) {
			t.Errorf("not found: %s\nfound:\n%s", want, found)
		}
	}
}
