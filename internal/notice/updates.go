package notice

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/strictyaml"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// heading is a level-2 heading of the document's top level.
type heading struct {
	text         string
	start, end   int // of its line, in the body
	line, column int // in the file
}

// deepest is how far quotes and lists may be nested in one another. Nobody reads
// that, and what walks the tree recurses.
const deepest = 50

// mostLinks is how many [ a text may have.
const mostLinks = 3000

// blocks parses the blocks of a text, but not what is within their lines: enough
// to find headings, in a third of the time.
var blocks = parser.NewParser(
	parser.WithBlockParsers(parser.DefaultBlockParsers()...),
	parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
)

// headings finds the ATX headings of level 2. Those inside of code, quotes and
// lists are not the document's own.
func headings(r *strictyaml.Report, body []byte, firstLine int) []heading {
	if at, why := tooHard(body); why != "" {
		line, column := strictyaml.Place(body, at)
		r.Errorf(firstLine+line-1, column, "%s", why)
		return nil
	}
	var found []heading
	root := blocks.Parse(text.NewReader(body))
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok || h.Level != 2 || h.Lines().Len() == 0 {
			warnOfNearly(r, n, body, firstLine)
			continue
		}
		segment := h.Lines().At(0)
		start := bytes.LastIndexByte(body[:segment.Start], '\n') + 1
		before := body[start:segment.Start]
		line, _ := strictyaml.Place(body, start)
		line, column := firstLine+line-1, 1+len(before)-len(bytes.TrimLeft(before, " "))
		words := strings.TrimSpace(string(segment.Value(body)))
		if !bytes.Contains(before, []byte("##")) {
			if headingTime.MatchString(words) {
				r.Warnf(line, column, "an underlined heading is no update; write ## %s", strictyaml.Clip(words))
			}
			continue
		}
		found = append(found, heading{words, start, lineEnd(body, segment.Stop), line, column})
	}
	return found
}

// nearly is a line that was meant to begin an update: its first group has a # too
// few or too many, or no space behind them.
var nearly = regexp.MustCompile(`^ {0,3}(#+[ \t]*)(\d{4}-\d{1,2}-\d{1,2}[Tt ][ \t]*\d{1,2}:\d\d.*)`)

// warnOfNearly warns of such lines in a heading or a paragraph.
func warnOfNearly(r *strictyaml.Report, n ast.Node, body []byte, firstLine int) {
	if k := n.Kind(); k != ast.KindHeading && k != ast.KindParagraph {
		return
	}
	for i := range n.Lines().Len() {
		start := bytes.LastIndexByte(body[:n.Lines().At(i).Start], '\n') + 1
		if m := nearly.FindSubmatch(bytes.TrimRight(body[start:lineEnd(body, start)], "\r\n")); m != nil {
			line, _ := strictyaml.Place(body, start)
			r.Warnf(firstLine+line-1, 1, "an update begins with ## and a space, so this is none; write ## %s", strictyaml.Clip(string(m[2])))
		}
	}
}

// tooHard finds what would keep the Markdown parser busy for long, since its time
// grows with the square of it: many markers of quotes and lists at the beginning
// of a line, and links by the thousand.
func tooHard(body []byte) (at int, why string) {
	brackets := 0
	for at < len(body) {
		line := body[at:lineEnd(body, at)]
		if markers(line) > deepest {
			return at, fmt.Sprintf("quotes or lists are nested more than %d deep; write it with fewer levels", deepest)
		}
		if brackets += bytes.Count(line, []byte("[")); brackets > mostLinks {
			return at, fmt.Sprintf("there are more than %d [ above here, one for each link; write it with fewer", mostLinks)
		}
		at += len(line)
	}
	return 0, ""
}

func markers(line []byte) int {
	n := 0
	for i, c := range line {
		switch {
		case c == '>':
			n++
		case c == '-' || c == '+' || c == '*' || c == '.' || c == ')':
			if i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t') {
				n++
			}
		case c == ' ' || c == '\t' || '0' <= c && c <= '9':
		case c == '\n' && isRule(line):
			return 0
		default:
			return n
		}
	}
	return n
}

// isRule tells whether the line is a thematic break such as - - - or * * *.
func isRule(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) > 0 && line[0] != '>' && len(bytes.Trim(line, " \t"+string(line[:1]))) == 0
}

// headingTime is the beginning of an update's heading: a date and, in group 2
// and 3, a time with or without an offset. What is right about it is
// ParseMoment's to say.
var headingTime = regexp.MustCompile(`^(\d{4}-\d{1,2}-\d{1,2})(?:[Tt ][ \t]*(\d{1,2}:[\d:.]*\d)([Zz]\b|[+-]\d{2}:\d{2})?)?`)

// readUpdate reads the heading of an update; it is false for any other heading.
func readUpdate(r *strictyaml.Report, h heading, loc *time.Location) (Update, bool) {
	f := headingTime.FindStringSubmatch(h.text)
	if f == nil {
		return Update{}, false
	}
	rest := h.text[len(f[0]):]
	if f[2] == "" {
		if rest == "" || rest[0] < '0' || rest[0] > '9' {
			r.Warnf(h.line, h.column, "the heading begins with a date but no time, so it is no update; write ## %s 10:30 …", f[1])
		}
		return Update{}, false
	}
	m, doubt, err := ParseMoment(f[1]+" "+f[2]+f[3], loc)
	if err != nil {
		r.Errorf(h.line, h.column, "update: %v", err)
	}
	if doubt != "" {
		r.Warnf(h.line, h.column, "update: %s", doubt)
	}
	title := strings.TrimSpace(strings.TrimLeft(rest, " \t:,-–—"))
	return Update{At: m.Time, Title: title, line: h.line, column: h.column}, true
}

// checkUpdates reports updates of one instant: slug and time are what an update
// is known by.
func (n *Notice) checkUpdates(r *strictyaml.Report) {
	first := map[int64]int{}
	for _, u := range n.Updates {
		if u.At.IsZero() { // reported already
			continue
		}
		if line, dup := first[u.At.Unix()]; dup {
			r.Errorf(u.line, u.column, "update: %s is the time of the update in line %d, too; add a minute to one of them", Moment{Time: u.At}, line)
			continue
		}
		first[u.At.Unix()] = u.line
	}
}
