package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Problem is one mistake in a file that an owner wrote. Its text says what is
// wrong and what to write instead.
type Problem struct {
	File    string // as the owner knows it, relative to the site: content/closures/flood.md
	Line    int    // from 1; 0 where the whole file is meant
	Column  int    // from 1, in characters; 0 where the whole line is meant
	Text    string // `closes: "24th" is not a time; write 2026-12-24 18:00`
	Warning bool   // worth telling, but the file counts
}

// String gives file:line:column: text, the form that editors can jump to. The
// file's name may hold anything, and is Printable here.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(Printable(p.File))
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
		if p.Column > 0 {
			fmt.Fprintf(&b, ":%d", p.Column)
		}
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Printable keeps what strangers wrote, such as a file's name or the author of a
// commit, on its line, and from moving the terminal's cursor or turning its text around.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// Problems is every mistake found, and an error when at least one of them is
// more than a warning; see Err.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err gives the problems that are more than warnings, or nil.
func (ps Problems) Err() error {
	if errs := ps.Errors(); len(errs) > 0 {
		return errs
	}
	return nil
}

// Errors leaves the warnings out.
func (ps Problems) Errors() Problems {
	var errs Problems
	for _, p := range ps {
		if !p.Warning {
			errs = append(errs, p)
		}
	}
	return errs
}

// Sort orders by file, then by place in it.
func (ps Problems) Sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
