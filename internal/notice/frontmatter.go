package notice

import (
	"bytes"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// MaxSize is the most that a notice may hold, in bytes.
const MaxSize = 256 << 10

var (
	bom     = []byte("\ufeff")
	newline = []byte("\n")
)

// parts are the two halves of a notice's file. They are slices of it.
type parts struct {
	front []byte // the lines between the two ---; it begins in line 2
	start int    // of front, in the file
	body  []byte
}

// bodyLine is the number of the body's first line.
func (p parts) bodyLine() int { return 3 + bytes.Count(p.front, newline) }

// split cuts the front matter from the body. The fence is a line --- and
// nothing else but spaces after it; a byte order mark may stand before.
func split(r *strictyaml.Report, src []byte) (parts, bool) {
	text := bytes.TrimPrefix(src, bom)
	start := len(src) - len(text)
	first, rest, _ := bytes.Cut(text, newline)
	if !isFence(first) {
		r.Errorf(1, 1, "a notice begins with a line ---, then title: Closed for the winter break, and so on; then --- again, and the text")
		return parts{}, false
	}
	start += len(first) + 1
	for at := 0; at < len(rest); {
		line, _, _ := bytes.Cut(rest[at:], newline)
		if isFence(line) {
			body := rest[min(at+len(line)+1, len(rest)):]
			return parts{front: rest[:at], start: start, body: body}, true
		}
		at += len(line) + 1
	}
	r.Errorf(1, 1, "the part that begins here with --- is never closed; write another line --- between the last key and the text")
	return parts{}, false
}

func isFence(line []byte) bool {
	return string(bytes.TrimRight(line, " \t\r")) == "---"
}

// lineEnd is the offset behind the line that holds an offset.
func lineEnd(src []byte, at int) int {
	if i := bytes.Index(src[at:], newline); i >= 0 {
		return at + i + 1
	}
	return len(src)
}
