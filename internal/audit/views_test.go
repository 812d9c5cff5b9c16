//go:build audit

package audit

import (
	"bufio"
	"cmp"
	"context"
	"database/sql"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"
)

// A view is one page as somebody comes to see it.
type view struct {
	name    string
	address string
	button  bool             // the page behind the button at the address
	status  int              // 0: 200
	letter  bool             // a mail's HTML
	before  func(*testing.T) // what has to happen first; nil: nothing
}

// views are all there is to see: a shop to which everything happens at once, one
// to which nothing has happened, and all that the demo shows.
func views(t *testing.T) (all []view) {
	t.Helper()
	busy := newSite(t, winter, rich...)
	for _, path := range busy.kinds(t) {
		all = append(all, view{name: "/" + path, address: busy.base + path})
	}
	calm := newSite(t, "2023-06-01T12:00:00Z", rich[0])
	all = append(all,
		view{name: "nothing yet", address: calm.base},
		view{name: "nothing yet, history", address: calm.base + "history/"},
		view{name: "no such page", address: calm.base + "no/such/page", status: http.StatusNotFound})
	return append(all, newDemo(t).views(t)...)
}

// A demo is `backsoon demo` as it runs.
type demo struct {
	dir   string   // its copy of the sample shop
	bases []string // the addresses that it prints
}

var (
	local   = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)
	scratch = regexp.MustCompile(`/\S*/backsoon-demo-[^/\s]+`)
)

func newDemo(t *testing.T) demo {
	t.Helper()
	cmd := exec.Command(backsoon, "demo")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(out)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	var intro strings.Builder
	for !strings.Contains(intro.String(), "What happens:") {
		line, err := said.ReadString('\n')
		if err != nil {
			t.Fatalf("the demo says no more than %q: %v", intro.String(), err)
		}
		intro.WriteString(line)
	}
	go io.Copy(io.Discard, said)
	return demo{scratch.FindString(intro.String()), local.FindAllString(intro.String(), -1)}
}

// views closes the demo's shop and gives what is to be seen once the mail has
// come, and by the link in the mail those pages by which a customer leaves.
func (d demo) views(t *testing.T) (all []view) {
	t.Helper()
	if out, err := exec.Command(backsoon, "--site", d.dir, "close", "Burst pipe").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var leave string
	for end := time.Now().Add(patience); leave == ""; time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatal("no page of the demo shows a mail with the link by which a customer leaves")
		}
		all, leave = d.crawl(t)
	}
	return append(all,
		view{name: "a broken link to leave", address: leave + "x", status: http.StatusNotFound},
		view{name: "whether to leave", address: leave},
		view{name: "left", address: leave, button: true},
		view{name: "leaving failed", address: leave, button: true, before: d.breakLedger, status: http.StatusInternalServerError})
}

var (
	leaving = regexp.MustCompile(`http://127\.0\.0\.1:\d+/unsubscribe/[\w.-]+`)
	link    = regexp.MustCompile(`(?:href|src)="([^"#?]+)`)
	number  = regexp.MustCompile(`/\d+`)
)

// crawl follows the links of the demo's pages, one of a kind where addresses
// differ in a number alone; a closed checkout answers 503, as it should. leave is the last link to leave that it came upon.
func (d demo) crawl(t *testing.T) (all []view, leave string) {
	t.Helper()
	seen := map[string]bool{}
	for queue := slices.Clone(d.bases); len(queue) > 0; queue = queue[1:] {
		address, kind := queue[0], number.ReplaceAllString(queue[0], "/N")
		if seen[kind] || !slices.Contains(d.bases, local.FindString(address)) {
			continue
		}
		seen[kind] = true
		a := fetch(t, http.MethodGet, address)
		leave = cmp.Or(leaving.FindString(a.text), leave)
		if a.page {
			all = append(all, view{name: "demo " + address, address: address, status: a.status, letter: strings.HasSuffix(address, "/html")})
		}
		if a.page && !strings.Contains(a.text, `rel="canonical"`) { // the status page is looked at elsewhere
			queue = append(queue, links(t, address, a.text)...)
		}
	}
	return all, leave
}

func links(t *testing.T, address, text string) (to []string) {
	t.Helper()
	from, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if u, err := from.Parse(m[1]); err == nil {
			to = append(to, u.String())
		}
	}
	return to
}

type answer struct {
	status int
	text   string
	page   bool // it is HTML
}

func fetch(t *testing.T, method, address string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	kind := resp.Header.Get("Content-Type")
	if strings.HasPrefix(kind, "text/event-stream") {
		return answer{status: resp.StatusCode} // it has no end
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, string(text), strings.HasPrefix(kind, "text/html")}
}

// breakLedger makes the watcher fail where it next looks for a subscriber.
func (d demo) breakLedger(t *testing.T) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(d.dir, "data", "backsoon.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("ALTER TABLE subscribers RENAME TO mislaid"); err != nil {
		t.Fatal(err)
	}
}
