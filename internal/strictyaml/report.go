package strictyaml

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Report collects the problems of one file and keeps every place inside it.
type Report struct {
	file     string
	src      []byte
	lines    [][]byte // of src; nil until there is a problem, since most files have none
	problems Problems
}

// NewReport begins the report on a file. The file's name is the one that the
// owner knows, and src all of it.
func NewReport(file string, src []byte) *Report {
	return &Report{file: file, src: src}
}

// Errorf adds a problem at a line and column, both from 1.
func (r *Report) Errorf(line, column int, format string, args ...any) {
	r.add(line, column, false, format, args)
}

// Warnf adds a warning at a line and column, both from 1.
func (r *Report) Warnf(line, column int, format string, args ...any) {
	r.add(line, column, true, format, args)
}

// Problems gives what was found so far, in the file's order.
func (r *Report) Problems() Problems {
	r.problems.Sort()
	return r.problems
}

// add keeps the place inside the file whatever the YAML library said: an editor
// that is sent past the end of a line jumps nowhere.
func (r *Report) add(line, column int, warning bool, format string, args []any) {
	if r.lines == nil {
		r.lines = bytes.Split(r.src, []byte("\n"))
	}
	line = min(max(line, 1), len(r.lines))
	width := utf8.RuneCount(r.lines[line-1])
	r.problems = append(r.problems, Problem{
		File: r.file, Line: line, Column: min(max(column, 1), width+1),
		Text: fmt.Sprintf(format, args...), Warning: warning,
	})
}
