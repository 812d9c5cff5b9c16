package notice

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// SetKey sets one top-level key of a notice's front matter and leaves every other
// byte as it was: comments, order, line ends, the comment behind the value. value
// is YAML and one line, such as `2027-01-01 12:00`. A key that isn't there is
// added as the front matter's last. It is an error when src is no notice whose
// front matter can be read, or the value doesn't fit in.
func SetKey(src []byte, key, value string) ([]byte, error) {
	root, p, err := readFront(src)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(value, "\r\n") {
		return nil, fmt.Errorf("%s: %q is more than one line", key, value)
	}
	lines := bytes.SplitAfter(p.front, newline)
	first, last := len(lines)-1, len(lines)-1 // behind the last line
	line := strings.Repeat(" ", root.Column-1) + key + ": " + value + eol(src[:p.start])
	if e, next, found := entry(root, key); found {
		if next != nil {
			last = next.Line - 2
		}
		first = e.Line - 2
		last = valueEnd(lines, first, last)
		line = rewritten(string(lines[first]), e, value)
	}
	var out bytes.Buffer
	out.Write(src[:p.start])
	out.Write(bytes.Join(lines[:first], nil))
	out.WriteString(line)
	out.Write(bytes.Join(lines[last:], nil))
	out.Write(src[p.start+len(p.front):])
	if _, _, err := readFront(out.Bytes()); err != nil {
		return nil, fmt.Errorf("%s cannot be set to %s: %w", key, value, err)
	}
	return out.Bytes(), nil
}

func readFront(src []byte) (strictyaml.Value, parts, error) {
	r := strictyaml.NewReport("the notice", src)
	p, ok := parts{}, strictyaml.CheckText(r, src, MaxSize)
	if ok {
		p, ok = split(r, src)
	}
	if !ok {
		return strictyaml.Value{}, parts{}, r.Problems()
	}
	root, _ := strictyaml.Parse(r, p.front, 2)
	if root.InBraces() {
		root.Errorf("write one key a line, without { and }")
	}
	return root, p, r.Problems().Err()
}

// entry finds a key, and the one behind it; next is nil for the last.
func entry(root strictyaml.Value, key string) (e strictyaml.Entry, next *strictyaml.Entry, found bool) {
	entries := root.Entries("")
	for i, e := range entries {
		if e.Key != key {
			continue
		}
		if i+1 < len(entries) {
			next = &entries[i+1]
		}
		return e, next, true
	}
	return e, nil, false
}

// valueEnd is the line behind the last one of the value that begins in line
// first: blank lines and comments before the next key belong to that.
func valueEnd(lines [][]byte, first, next int) int {
	end := next
	for end > first+1 {
		line := bytes.TrimSpace(lines[end-1])
		if len(line) > 0 && line[0] != '#' {
			break
		}
		end--
	}
	return end
}

// rewritten is the key's line with another value. What stands between the colon
// and the value stays, and so does a comment.
func rewritten(line string, e strictyaml.Entry, value string) string {
	text := strings.TrimRight(line, "\r\n")
	key, rest := cutKey(text, e.Column)
	gap := rest[:len(rest)-len(strings.TrimLeft(rest, " \t"))]
	comment := rest[commentAt(rest):]
	if gap == "" || gap == rest || strings.HasPrefix(rest[len(gap):], "#") {
		gap = " "
	}
	return key + gap + value + comment + line[len(text):]
}

// cutKey cuts a line behind the colon of the key that begins in a column, which
// counts characters from 1.
func cutKey(line string, column int) (key, rest string) {
	at := 0
	for ; column > 1; column-- {
		_, n := utf8.DecodeRuneInString(line[at:])
		at += n
	}
	at += scan(line[at:], func(rest string, _ bool) bool {
		return rest == ":" || strings.HasPrefix(rest, ": ") || strings.HasPrefix(rest, ":\t")
	})
	at = min(at+1, len(line))
	return line[:at], line[at:]
}

// commentAt is the offset of the comment at a line's end, with the blanks before
// it, or the line's length.
func commentAt(line string) int {
	at := scan(line, func(rest string, afterBlank bool) bool { return afterBlank && rest[0] == '#' })
	if at == len(line) {
		return len(strings.TrimRight(line, " \t"))
	}
	return len(strings.TrimRight(line[:at], " \t"))
}

// scan gives the offset at which is holds first, outside of quotes. Quotes count
// only where the text begins with one or a bracket: in a plain text they are
// characters like others.
func scan(line string, is func(rest string, afterBlank bool) bool) int {
	var quote byte
	first := strings.TrimLeft(line, " \t")
	quotes := first != "" && strings.IndexByte("\"'[{", first[0]) >= 0
	open := true // a quote here opens; within a word it is an apostrophe
	blank := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote, open = 0, c == '\'' // '' is one quote within single ones
			}
			continue
		case is(line[i:], blank):
			return i
		case quotes && open && (c == '"' || c == '\''):
			quote = c
		}
		blank = c == ' ' || c == '\t'
		open = blank || strings.IndexByte("[{,:", c) >= 0
	}
	return len(line)
}

func eol(src []byte) string {
	if bytes.HasSuffix(src, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}
