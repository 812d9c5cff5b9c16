package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backsoon/backsoon/internal/ledger"
)

// footer is the last line of a terminal, which says how far something is and is
// drawn again as that changes. A nil footer is where nobody looks, and shows
// nothing.
type footer struct {
	mu   sync.Mutex
	out  *os.File
	text string // as it stands there
}

// newFooter gives the footer of what w writes to, or nil if that is no terminal.
func newFooter(w io.Writer) *footer {
	if _, ok := width(w); !ok {
		return nil
	}
	return &footer{out: w.(*os.File)}
}

// width is how many characters a line of the terminal has; not ok: it is none, or
// cannot draw a line again.
func width(w io.Writer) (columns int, ok bool) {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return 0, false
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, false
	}
	if size.Col == 0 { // it doesn't say
		return 80, true
	}
	return int(size.Col), true
}

// show puts the text in the footer's place; an empty one takes it away.
func (f *footer) show(text string) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if text != f.text {
		f.text = text
		f.draw()
	}
}

// clear takes the line away until it is drawn again (ECMA-48: EL).
const clear = "\r\x1b[K"

// draw keeps to one line, which alone can be drawn again.
func (f *footer) draw() {
	columns, _ := width(f.out)
	text := []rune(f.text)
	if len(text) >= columns && columns > 1 {
		text = append(text[:columns-2], '…')
	}
	fmt.Fprint(f.out, clear+string(text))
}

// above gives a writer whose lines go above the footer, if w is a terminal.
func (f *footer) above(w io.Writer) io.Writer {
	if _, ok := width(w); f == nil || !ok {
		return w
	}
	return aboveFooter{f, w}
}

type aboveFooter struct {
	*footer
	lines io.Writer
}

func (a aboveFooter) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.text == "" {
		return a.lines.Write(p)
	}
	fmt.Fprint(a.out, clear)
	defer a.draw()
	return a.lines.Write(p)
}

// follow shows how far the ledger's mails are, until the context ends or the
// function it gives is called, which takes the line away.
func (f *footer) follow(ctx context.Context, l *ledger.Ledger) (end func()) {
	if f == nil {
		return func() {}
	}
	ctx, stop := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() {
		mails := mailWatch{}
		for tick := time.Tick(time.Second); ctx.Err() == nil; {
			var open []ledger.Campaign
			err := l.View(ctx, func(tx *ledger.Tx) (err error) {
				open, err = tx.OpenCampaigns()
				return err
			})
			if err == nil { // else the watcher says what is wrong with the ledger
				f.show(mails.say(open, time.Now()))
			}
			select {
			case <-ctx.Done():
			case <-tick:
			}
		}
	})
	return func() {
		stop()
		following.Wait()
		f.show("")
	}
}

// pace says how fast something goes of which so many are done, and how long the
// others will take: no time at all where that can't be known.
func pace(done, all int, took time.Duration) (perSecond float64, left time.Duration) {
	if done <= 0 || took <= 0 {
		return 0, 0
	}
	perSecond = float64(done) / took.Seconds()
	return perSecond, time.Duration(float64(max(0, all-done)) / perSecond * float64(time.Second))
}

// paced is that in words: "655 a second, 18 s left".
func paced(perSecond float64, left time.Duration) string {
	rate := fmt.Sprintf("%.0f a second", perSecond)
	if perSecond < 1 {
		rate = fmt.Sprintf("%.0f an hour", perSecond*3600)
	}
	switch left = left.Round(time.Second); {
	case left <= 0:
		return rate
	case left < time.Minute:
		return fmt.Sprintf("%s, %d s left", rate, int(left.Seconds()))
	case left < time.Hour:
		return fmt.Sprintf("%s, %d min left", rate, int(left.Minutes()+0.5))
	}
	return fmt.Sprintf("%s, %d h %d min left", rate, int(left.Hours()), int(left.Minutes())%60)
}

// mailWatch says how far the mails are that are under way, and how fast they went
// of late: a pause of the mail server long ago says nothing of now.
type mailWatch struct {
	about string // which mails the looks are of
	looks []look // of the last half minute
}

type look struct {
	at   time.Time
	done int
}

// lately is how far back a mailWatch looks.
const lately = 30 * time.Second

// say gives the words for the footer; none where no mail is under way.
func (m *mailWatch) say(open []ledger.Campaign, now time.Time) string {
	var names []string
	var done, all int
	for _, c := range open {
		if c.Fired.IsZero() {
			continue
		}
		names = append(names, fmt.Sprintf("“%s” of %s", c.Kind, c.Slug))
		done += c.Done()
		all += max(c.Recipients, c.Done())
	}
	if about := strings.Join(names, ", "); about != m.about {
		m.about, m.looks = about, nil
	}
	if len(names) == 0 {
		return ""
	}
	m.looks = append(m.looks, look{now, done})
	m.looks = slices.DeleteFunc(m.looks, func(l look) bool { return now.Sub(l.at) > lately })
	first := m.looks[0]
	perSecond, left := pace(done-first.done, all-first.done, now.Sub(first.at))
	rate := ", " + paced(perSecond, left)
	switch {
	case perSecond == 0 && now.Sub(first.at) < lately/2: // too early to say
		rate = ""
	case perSecond == 0:
		rate = ", none of late"
	}
	return fmt.Sprintf("mail %s: %d of %d%s", m.about, done, all, rate)
}
