package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"time"

	unicodewidth "golang.org/x/text/width"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

// colourful tells whether the terminal's owner wants colours (no-color.org).
func colourful() bool { return os.Getenv("NO_COLOR") == "" }

// logTable prints the log on a terminal: a heading for each day, and below it the
// hour, what happened with what came of it, and on whose word, in columns of their
// own. Where there is no room for a third column the word follows what happened.
type logTable struct {
	site *site
	view
	day      string
	unproven bool // somebody is named whom only the system or git names
}

const (
	hourWidth  = 10 // "  15:04:05"
	gap        = 2
	whoWidth   = 22
	leastWidth = 30 // of what happened, beside a third column
)

func (t *logTable) row(e ledger.Entry, outcome string) error {
	at := e.Time.In(t.site.cfg.Shop.Location)
	if day := at.Format("Mon 2 January 2006"); day != t.day {
		zone := ""
		if t.day == "" {
			zone = " (" + locale.English().Zone(t.site.cfg.Shop.Location) + ")"
		}
		t.day = day
		if _, err := fmt.Fprintln(t.out, t.paint(bold, day+zone)); err != nil {
			return err
		}
	}
	what := strings.ReplaceAll(strictyaml.Printable(t.site.deed(e)+openSteps(e)), "\n", " ")
	return t.cells(at, what, strictyaml.Printable(outcome), strictyaml.Printable(t.who(e)), colourOf(e))
}

// cells prints one row, on as many lines as it takes.
func (t *logTable) cells(at time.Time, what, outcome, who, colour string) error {
	room := t.columns - hourWidth - gap
	switch beside := room - gap - whoWidth; {
	case who == "":
	case beside >= leastWidth:
		room = beside
	default:
		what, who = what+", "+who, ""
	}
	left := paintAll(wrap(what, room), func(s string) string { return t.paint(colour, s) })
	if outcome != "" {
		left = append(left, paintAll(wrap("→ "+outcome, room), func(s string) string { return t.paint(faint, s) })...)
	}
	right := wrap(who, whoWidth)
	for i := range max(len(left), len(right)) {
		line := strings.Repeat(" ", hourWidth)
		if i == 0 {
			line = "  " + at.Format(time.TimeOnly)
		}
		if i < len(left) {
			line += strings.Repeat(" ", gap) + left[i].painted
		}
		if i < len(right) && right[i] != "" {
			pad := room
			if i < len(left) {
				pad -= left[i].wide
			} else {
				pad += gap
			}
			line += strings.Repeat(" ", pad+gap) + right[i]
		}
		if _, err := fmt.Fprintln(t.out, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

// who is on whose word it happened; ✓ says that a signature proves it.
func (t *logTable) who(e ledger.Entry) string {
	if e.By == nil {
		return ""
	}
	var names []string
	for _, by := range append([]ledger.By{*e.By}, e.Also...) {
		name := cmp.Or(by.Name, by.Email, by.Key, "nobody known")
		if by.Verified {
			name += " ✓"
		} else {
			t.unproven = true
			name += " ?"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// finish explains the signs, and says what isn't shown.
func (t *logTable) finish(more bool) error {
	legend := "\n✓ proven by a signature"
	if t.unproven {
		legend += "; ? as the system or git says, or by a signature that doesn't count"
	}
	if more {
		legend += ". What came before: `backsoon log -n 0`, or --since"
	}
	for _, line := range wrap(strings.TrimPrefix(legend, "\n")+".", t.columns) {
		if _, err := fmt.Fprintln(t.out, t.paint(faint, line)); err != nil {
			return err
		}
	}
	return nil
}

// The colours of a terminal (ECMA-48, SGR).
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	plain  = ""
)

func colourOf(e ledger.Entry) string {
	switch e.Event {
	case ledger.StorefrontClosed:
		return red
	case ledger.StorefrontOpened:
		return green
	case ledger.NoticeRefused, ledger.NoticeMissing, ledger.NoticeMissed, ledger.NoticeOverdue, ledger.WebhookDisabled, ledger.MailPaused,
		ledger.MailFailed, ledger.PublishersChanged:
		return yellow
	}
	return plain
}

func (v view) paint(colour, text string) string {
	if !v.colour || colour == plain || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// painted is a line and how many columns it takes, which its colours don't.
type painted struct {
	painted string
	wide    int
}

func paintAll(lines []string, paint func(string) string) (all []painted) {
	for _, line := range lines {
		all = append(all, painted{paint(line), columnsOf(line)})
	}
	return all
}

// wrap breaks a text into lines of at most so many columns, between words; a word that
// is longer than a line, such as a fingerprint, within.
func wrap(text string, columns int) (lines []string) {
	line, used := "", 0
	flush := func() { lines, line, used = append(lines, line), "", 0 }
	for _, word := range strings.Fields(text) {
		if used > 0 && used+1+columnsOf(word) > columns {
			flush()
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		for _, r := range word {
			if used+columnsOf(string(r)) > columns && used > 0 {
				flush()
			}
			line, used = line+string(r), used+columnsOf(string(r))
		}
	}
	if line != "" {
		flush()
	}
	return lines
}

// columnsOf counts the columns that a terminal needs for the text (UAX #11).
func columnsOf(text string) (n int) {
	for _, r := range text {
		switch kind := unicodewidth.LookupRune(r).Kind(); {
		case r >= '\u2066' && r <= '\u2069': // isolates take no room
		case kind == unicodewidth.EastAsianWide, kind == unicodewidth.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
