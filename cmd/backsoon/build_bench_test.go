package main

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yuin/goldmark"

	"github.com/backsoon/backsoon/internal/notice"
	pages "github.com/backsoon/backsoon/internal/site"
	"github.com/backsoon/backsoon/templates"
)

// BenchmarkBuild measures `backsoon build`, as a process of its own, against the
// least that making so many pages can cost: a loop that reads each notice,
// renders its Markdown with goldmark and its page with html/template, and writes
// it. The two take turns. cpu-ratio is the median of build's processor time over
// that of the loop; MB is the most memory that build held.
//
//	go test ./cmd/backsoon -run '^$' -bench 'Build$' -benchtime 5x
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{10_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := longHistory(b, n)
			var ratios, cpu, loop, memory []float64
			for b.Loop() {
				build := spend(b, "backsoon", "build", "--site", dir, "--now", "2026-11-20T10:00:00Z")
				bare := spend(b, "bareloop", dir)
				cpu, loop = append(cpu, processorSeconds(build)), append(loop, processorSeconds(bare))
				ratios = append(ratios, processorSeconds(build)/processorSeconds(bare))
				memory = append(memory, float64(build.SysUsage().(*syscall.Rusage).Maxrss)/1024)
			}
			b.ReportMetric(median(ratios), "cpu-ratio")
			b.ReportMetric(median(cpu), "cpu-s")
			b.ReportMetric(median(loop), "loop-cpu-s")
			b.ReportMetric(slices.Max(memory), "MB")
			b.ReportMetric(0, "ns/op") // says nothing of either
		})
	}
}

// BenchmarkSaveToPage measures what a save costs, from the saved file to the
// finished page, with 10,000 notices: in serve until the page is answered, in
// watch from what it knows of the notices to public/.
//
//	go test ./cmd/backsoon -run '^$' -bench SaveToPage -benchtime 300x
func BenchmarkSaveToPage(b *testing.B) {
	dir := longHistory(b, 10_000)
	const slug = "stocktaking-09990"
	save := func(i int) {
		if err := os.WriteFile(filepath.Join(dir, notice.Path(slug)), pastNotice(9990, i), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	b.Run("serve", func(b *testing.B) {
		p := newPreview(dir, &url.URL{Scheme: "http", Host: "127.0.0.1:8000", Path: "/"})
		p.begin(now)
		measure(b, save, func() error {
			p.follow(now, slug+".md")
			for _, name := range []string{"closures/" + slug + "/index.html", "index.html"} {
				if _, err := p.present().page(name); err != nil {
					return err
				}
			}
			return nil
		})
	})
	b.Run("watch", func(b *testing.B) {
		s := &site{dir: dir}
		if err := s.load(); err != nil {
			b.Fatal(err)
		}
		notices := notice.NewCollection(s.cfg.Dir, s.cfg.Surroundings())
		if err := notices.Read(); err != nil {
			b.Fatal(err)
		}
		maker, folder := pages.New(s.cfg, templates.FS("")), pages.NewFolder(filepath.Join(b.TempDir(), "public"))
		publish := func() error {
			ns, _ := notices.Notices(now)
			e, err := maker.Edition(pages.Input{Notices: ns, Now: now})
			if err != nil {
				return err
			}
			_, err = folder.Update(e)
			return err
		}
		if err := publish(); err != nil {
			b.Fatal(err)
		}
		measure(b, save, func() error {
			notices.ReadOne(slug + ".md")
			return publish()
		})
	})
}

// measure reports the median and p99 of do in milliseconds, each after a save.
func measure(b *testing.B, save func(int), do func() error) {
	var took []float64
	for i := 0; b.Loop(); i++ {
		save(i)
		begin := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		took = append(took, float64(time.Since(begin).Microseconds())/1000)
	}
	b.ReportMetric(median(took), "ms-median")
	b.ReportMetric(took[len(took)*99/100], "ms-p99")
	b.ReportMetric(0, "ns/op")
}

// longHistory is a site with n notices of 1.5 KB, all but one in a hundred over.
func longHistory(b *testing.B, n int) (dir string) {
	b.Helper()
	dir = filepath.Join(b.TempDir(), "site")
	spend(b, "backsoon", "init", dir)
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, notice.Path(fmt.Sprintf("stocktaking-%05d", i))), pastNotice(i, 0), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// pastNotice is a notice of about 1.5 KB; words differ by version.
func pastNotice(i, version int) []byte {
	closes := time.Date(2026, 12, 1, 18, 0, 0, 0, time.UTC).Add(-time.Duration(i) * 7 * time.Hour)
	const layout = "2006-01-02 15:04"
	var out bytes.Buffer
	fmt.Fprintf(&out, "---\ntitle: Stocktaking number %d\npublished: %s\ncloses: %s\nreopens: %s\n", i,
		closes.AddDate(0, -1, 0).Format(layout), closes.Format(layout), closes.Add(5*time.Hour).Format(layout))
	out.WriteString("facts:\n  Last orders: the evening before, until six\n  Orders in progress: sent out when we are back\n---\n")
	fmt.Fprintf(&out, "We count every book, twice, and *version* %d of this text says so.\n\n%s\n\n- [Gift cards](/gift-cards) still work.\n- So does the helpline.\n\n",
		version, strings.Repeat("Orders placed in the meantime wait for us, and leave in the order in which they came. ", 6))
	fmt.Fprintf(&out, "## %s We begin\n\n%s\n", closes.AddDate(0, 0, -12).Format(layout), strings.Repeat("The shelves by the window are done, and nobody has found a mistake yet. ", 5))
	return out.Bytes()
}

// spend runs a command to its end and tells what it cost.
func spend(b testing.TB, name string, args ...string) *os.ProcessState {
	b.Helper()
	cmd := exec.Command(name, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%.500s", name, err, out)
	}
	return cmd.ProcessState
}

// processorSeconds is the processor time of a process, in and out of the kernel.
func processorSeconds(p *os.ProcessState) float64 { return (p.UserTime() + p.SystemTime()).Seconds() }

func median(numbers []float64) float64 {
	slices.Sort(numbers)
	return numbers[len(numbers)/2]
}

// barePage is the plainest page that there is.
var barePage = template.Must(template.New("page").Parse(
	`<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{{.Title}}</title><body><h1>{{.Title}}</h1>{{.Body}}</body></html>`))

// bareLoop makes the page of every notice of a site and nothing else.
func bareLoop() {
	dir := os.Args[1]
	names, err := notice.Names(dir)
	if err != nil {
		panic(err)
	}
	out := filepath.Join(dir, "bare")
	if err := os.RemoveAll(out); err != nil {
		panic(err)
	}
	for _, name := range names {
		if err := bareOne(filepath.Join(dir, notice.Folder, name), filepath.Join(out, "closures", strings.TrimSuffix(name, ".md"))); err != nil {
			panic(err)
		}
	}
}

func bareOne(from, to string) error {
	src, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	parts := bytes.SplitN(src, []byte("---\n"), 3)
	var body, page bytes.Buffer
	if err := goldmark.Convert(parts[2], &body); err != nil {
		return err
	}
	title, _, _ := bytes.Cut(parts[1], []byte("\n"))
	if err := barePage.Execute(&page, map[string]any{"Title": string(title), "Body": template.HTML(body.String())}); err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "index.html"), page.Bytes(), 0o644)
}
