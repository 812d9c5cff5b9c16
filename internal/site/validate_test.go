//go:build validate

package site

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
)

// What other people's validators say of the feeds and the calendar; see make
// validate.

// execute gives what the command prints, and its error.
func execute(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}

// jing checks against the schema of RFC 4287.
func jing(files ...string) (string, error) {
	return execute("jing", append([]string{"-c", "testdata/schemas/atom.rnc"}, files...)...)
}

// ruby checks with Ruby's own reader of feeds.
func ruby(files ...string) (string, error) {
	return execute("ruby", append([]string{"testdata/validators/feeds.rb"}, files...)...)
}

// saved writes the files of the sort, and names them.
func saved(t *testing.T, files Files, base string) (names []string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if filepath.Base(name) == base {
			path := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
			names = append(names, path)
		}
	}
	return names
}

func TestValidatorsAcceptTheFeeds(t *testing.T) {
	inStates(t, func(t *testing.T, _ sample, files Files) {
		atom := saved(t, files, "atom.xml")
		if out, err := jing(atom...); err != nil {
			t.Errorf("jing: %v\n%s", err, out)
		}
		if out, err := ruby(append(atom, saved(t, files, "feed.xml")...)...); err != nil {
			t.Errorf("ruby: %v\n%s", err, out)
		}
	})
}

// A validator that takes everything would prove nothing.
func TestValidatorsRefuseBrokenFeeds(t *testing.T) {
	sound := build(t, input(t, "2026-12-29 11:00"))
	for _, tt := range []struct {
		name     string
		old, new string
		validate func(files ...string) (string, error)
	}{
		{"atom.xml", "<updated>2026", "<updated>26", jing},
		{"atom.xml", "<id>https://status.harbourbooks.example/open/atom.xml</id>", "", jing},
		{"atom.xml", `<summary type="text">`, `<summary type="text/plain">`, jing},
		{"atom.xml", "<id>https://status.harbourbooks.example/open/atom.xml</id>", "", ruby},
		{"feed.xml", "<description>When Harbour Books closes and reopens</description>", "", ruby},
		{"feed.xml", "<pubDate>Mon, 28 Dec 2026", "<pubDate>yesterday", ruby},
	} {
		broken := strings.Replace(string(sound[tt.name]), tt.old, tt.new, 1)
		files := saved(t, Files{tt.name: []byte(broken)}, tt.name)
		if out, err := tt.validate(files...); broken == string(sound[tt.name]) || err == nil {
			t.Errorf("%s with %q for %q passes: %s", tt.name, tt.new, tt.old, out)
		}
	}
}

// appointmentSeen is an event as calendar.mjs prints it.
type appointmentSeen struct {
	UID, Summary, Start, End, Status string
	Sequence                         int
}

func TestAnotherCalendarReadsTheSame(t *testing.T) {
	inStates(t, func(t *testing.T, _ sample, files Files) {
		names := saved(t, files, "closures.ics")
		out, err := execute("node", append([]string{"testdata/validators/calendar.mjs"}, names...)...)
		var calendars [][]appointmentSeen
		if err != nil || json.Unmarshal([]byte(out), &calendars) != nil || len(calendars) != 6 {
			t.Fatalf("%v\n%s", err, out)
		}
		for i, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			events := opened(t, content)
			if len(calendars[i]) != len(events) {
				t.Errorf("%d events, want %d", len(calendars[i]), len(events))
			}
			for _, got := range calendars[i] {
				slug, _, _ := strings.Cut(got.UID, "@")
				if want := seenBy(t, events[slug]); got != want {
					t.Errorf("%s reads %+v, want %+v", name, got, want)
				}
			}
		}
	})
	broken := saved(t, Files{"closures.ics": []byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n")}, "closures.ics")
	if out, err := execute("node", "testdata/validators/calendar.mjs", broken[0]); err == nil {
		t.Errorf("a broken calendar passes: %s", out)
	}
}

// seenBy is what the tests' own reader makes of the event.
func seenBy(t *testing.T, e ical.Event) appointmentSeen {
	t.Helper()
	moment := func(property string) string {
		at, err := e.Props.DateTime(property, nil)
		if err != nil {
			t.Fatal(err)
		}
		if e.Props.Get(property).ValueType() == ical.ValueDate {
			return at.Format(time.DateOnly)
		}
		return at.Format(time.RFC3339)
	}
	return appointmentSeen{
		text(t, e, ical.PropUID), text(t, e, ical.PropSummary), moment(ical.PropDateTimeStart), moment(ical.PropDateTimeEnd),
		text(t, e, ical.PropStatus), sequence(t, e),
	}
}
