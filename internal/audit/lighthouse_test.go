//go:build audit

package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// The page that customers come to, and the one that a mail leads to, have 100 of
// 100 in all of Lighthouse's categories, on its slow telephone.
func TestLighthouse(t *testing.T) {
	s := newSite(t, winter, rich...)
	for _, path := range []string{"", "closures/winter-break/"} {
		t.Run("/"+path, func(t *testing.T) {
			for category, costs := range lose(t, s.base+path) {
				t.Errorf("Lighthouse: %s: %s", category, strings.Join(costs, "\n\t"))
			}
		})
	}
}

// lose tells for each category below 100 what costs points. A machine that is
// busy with something else makes a page slow that isn't: the best of three tries
// counts, for the performance alone.
func lose(t *testing.T, address string) map[string][]string {
	t.Helper()
	var lost map[string][]string
	for range 3 {
		lost = lighthouse(t, address).lost()
		if len(lost) == 0 || len(lost) > 1 || lost["Performance"] == nil {
			break
		}
	}
	return lost
}

// verdict is the part of Lighthouse's report that counts. Scores go to 1.
type verdict struct {
	RuntimeError *struct{ Message string }
	Environment  struct{ BenchmarkIndex float64 } // how quick the machine was just then
	Categories   map[string]struct {
		Title     string
		Score     float64
		AuditRefs []struct {
			ID     string
			Weight float64
		}
	}
	Audits map[string]audit
}

type audit struct {
	Title, DisplayValue string
	Score               *float64        // nil: not for this page
	Details             json.RawMessage // in as many forms as there are audits
}

func lighthouse(t *testing.T, address string) (v verdict) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node_modules/.bin/lighthouse", address, "--output=json", "--quiet", "--no-enable-error-reporting",
		"--chrome-flags=--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync")
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "CHROME_PATH="+chromium)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &v)
	}
	if err != nil || v.RuntimeError != nil || len(v.Categories) != 4 {
		t.Fatalf("Lighthouse could not judge %s: %v: %s %+v", address, err, complaint.String(), v.RuntimeError)
	}
	return v
}

func (v verdict) lost() map[string][]string {
	lost := map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(v.Categories)) {
		c := v.Categories[id]
		if c.Score >= 1 {
			continue
		}
		lost[c.Title] = []string{fmt.Sprintf("%.0f of 100 (the machine's benchmark index was %.0f; below 1000 it is too slow or too busy to tell)", 100*c.Score, v.Environment.BenchmarkIndex)}
		for _, ref := range c.AuditRefs {
			if a := v.Audits[ref.ID]; ref.Weight > 0 && a.Score != nil && *a.Score < 1 {
				lost[c.Title] = append(lost[c.Title], ref.ID+": "+a.String())
			}
		}
	}
	return lost
}

func (a audit) String() string {
	text := strings.TrimSpace(a.Title + " " + a.DisplayValue)
	var details struct {
		Items []struct {
			Node        struct{ Snippet string }
			Description string
		}
	}
	_ = json.Unmarshal(a.Details, &details) // of another form: it names no element
	for _, item := range details.Items {
		if what := cmp.Or(item.Node.Snippet, item.Description); what != "" {
			text += "\n\t\t" + what
		}
	}
	return text
}

// A page that is to lose points in each of the categories, from a slow server.
func TestLighthouseFindsFaults(t *testing.T) {
	pages := http.FileServer(http.Dir("testdata"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(3 * time.Second)
		pages.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	lost := lighthouse(t, server.URL+"/broken.html").lost()
	for category, want := range map[string]string{
		"Performance": "first-contentful-paint", "Accessibility": "link-name", "Best Practices": "errors-in-console", "SEO": "meta-description",
	} {
		if !strings.Contains(strings.Join(lost[category], "\n"), want) {
			t.Errorf("%s lost nothing for %s: %v", category, want, lost[category])
		}
	}
}
