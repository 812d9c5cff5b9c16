package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon"
	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
)

// TestScriptedDemo runs the program on the whole story, over real files, SMTP,
// HTTP and a database, from an empty folder and in an empty environment.
func TestScriptedDemo(t *testing.T) {
	scratch := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "backsoon", "demo", "--script")
	cmd.Dir, cmd.Env = scratch, []string{"TMPDIR=" + scratch}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, each := range (&story{}).steps() {
		if !regexp.MustCompile(`(?m)^✓ +\d+\.\d\d s  ` + regexp.QuoteMeta(each.name) + `$`).Match(out) {
			t.Errorf("no step %q in\n%s", each.name, out)
		}
	}
	if left, _ := os.ReadDir(scratch); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestStageNamesWhatDidNotHappen(t *testing.T) {
	never := errors.New("the checkout is on")
	var out strings.Builder
	s := stage{out: &lines{out: &out}, patience: 30 * time.Millisecond}
	acted := 0
	err := s.play(t.Context(), []step{
		{"The first", nil, func() error { return nil }},
		{"An order is refused", func() error { acted++; return nil }, func() error { return never }},
		{"The last", nil, func() error { return nil }},
	})
	if !errors.Is(err, never) || !strings.Contains(err.Error(), "An order is refused") {
		t.Errorf("the error is %v", err)
	}
	if !strings.Contains(out.String(), "The first") || strings.Contains(out.String(), "The last") {
		t.Errorf("printed %q", out.String())
	}
	if acted != 1 {
		t.Errorf("acted %d times", acted)
	}
}

func TestStageWaits(t *testing.T) {
	looked := 0
	s := stage{out: &lines{out: t.Output()}, patience: time.Minute}
	err := s.play(t.Context(), []step{{"The third look sees it", nil, func() error {
		if looked++; looked < 3 {
			return errors.New("not yet")
		}
		return nil
	}}})
	if err != nil || looked != 3 {
		t.Errorf("%v after %d looks", err, looked)
	}
}

func TestStageStopsForAnyOtherReason(t *testing.T) {
	broken, pending := errors.New("broken"), func() error { return errors.New("not yet") }
	s := stage{out: &lines{out: t.Output()}, patience: time.Minute}
	if err := s.play(t.Context(), []step{{"It acts", func() error { return broken }, pending}}); !errors.Is(err, broken) {
		t.Errorf("after an act that failed: %v", err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	stop(broken)
	if err := s.play(ctx, []step{{"It waits", nil, pending}}); !errors.Is(err, broken) {
		t.Errorf("after the watcher ended: %v", err)
	}
}

// TestSampleFitsAnyDay holds the demo's notices against every day of a leap year
// and days of the next forty years: no mistake in them, and the shop open.
func TestSampleFitsAnyDay(t *testing.T) {
	lisbon, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		t.Fatal(err)
	}
	for day := range 366 {
		fitsDay(t, time.Date(2028, 1, 1+day, 0, 30, 0, 0, lisbon))
		fitsDay(t, time.Date(2026, 1, 1+41*day, 23, 30, 0, 0, lisbon))
	}
}

func fitsDay(t *testing.T, now time.Time) {
	t.Helper()
	entries, err := fs.ReadDir(backsoon.Sample, notice.Folder)
	if err != nil {
		t.Fatal(err)
	}
	phases := map[notice.Phase]int{}
	for _, e := range entries {
		file, src, err := sampleNotice(path.Join(notice.Folder, e.Name()), now)
		if err != nil {
			t.Fatalf("on %v: %v", now, err)
		}
		n, problems := notice.Parse(file, strings.TrimSuffix(path.Base(file), ".md"), src, now.Location())
		problems = append(problems, n.Check(file, now, []string{"web"})...)
		if len(problems) > 0 || n.Published.After(now) {
			t.Fatalf("on %v: %v, published %v", now, problems, n.Published)
		}
		namesDays(t, string(src), n.Closes.Year())
		phases[n.Phase(now)]++
	}
	if phases[notice.Reopened]+phases[notice.Scheduled] != len(entries) || len(phases) != 2 {
		t.Fatalf("on %v the phases are %v", now, phases)
	}
}

var weekday = regexp.MustCompile(`(\w{3}) (\d+ December)`)

// namesDays holds the weekdays in a notice's text against the calendar.
func namesDays(t *testing.T, text string, year int) {
	t.Helper()
	for _, m := range weekday.FindAllStringSubmatch(text, -1) {
		day, err := time.Parse("2 January 2006", m[2]+" "+strconv.Itoa(year))
		if err != nil || day.Format("Mon") != m[1] {
			t.Fatalf("%s is a %s in %d: %v", m[0], day.Format("Mon"), year, err)
		}
	}
}

func TestSampleSettings(t *testing.T) {
	const secret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	text, err := sampleSettings(addresses{"http://127.0.0.1:7/", "http://127.0.0.1:1/", "http://127.0.0.1:2/", "http://127.0.0.1:3/",
		"127.0.0.1:4", "http://127.0.0.1:5/", "127.0.0.1:6"}, secret)
	if err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Parse(t.TempDir(), []byte(text), func(string) (string, bool) { return "", false })
	if len(problems) > 0 || cfg.NeedSecrets() != nil {
		t.Fatalf("%v, %v in\n%s", problems, cfg.NeedSecrets(), text)
	}
	web := cfg.Storefronts[0]
	for got, want := range map[string]string{
		cfg.Shop.URL.String(): "http://127.0.0.1:2/", web.Webhooks[0].URL: "http://127.0.0.1:1/hooks/closure", web.URL: "http://127.0.0.1:1/",
		web.Webhooks[0].Secrets[0]: secret, cfg.Email.Server: "127.0.0.1:4", cfg.Listen: "127.0.0.1:5",
		cfg.PublicURL.String(): "http://127.0.0.1:5/", cfg.Admin: "127.0.0.1:6",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestDemoBesideAnother takes ports that are free where its own are in use.
func TestDemoBesideAnother(t *testing.T) {
	one, err := listenForDemo()
	if err != nil {
		t.Fatal(err)
	}
	defer one.close()
	two, err := listenForDemo()
	if err != nil {
		t.Fatal(err)
	}
	defer two.close()
	if one.addresses().shop == two.addresses().shop {
		t.Errorf("both have %s", one.addresses().shop)
	}
}
