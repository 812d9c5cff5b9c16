package strictyaml

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// CheckText reports what makes a file no text at all: that it is larger than most
// bytes, or its first byte that is not UTF-8, is NUL, or ends a line as nothing
// does any more.
func CheckText(r *Report, src []byte, most int) bool {
	if len(src) > most {
		r.Errorf(1, 1, "the file is larger than it may be (%s); shorten it", kibibytes(most))
		return false
	}
	at, bad := badByte(src)
	if bad != "" {
		line, column := Place(src, at)
		r.Errorf(line, column, "%s", bad)
	}
	return bad == ""
}

func kibibytes(n int) string { return fmt.Sprintf("%d KiB", n>>10) }

func badByte(src []byte) (int, string) {
	if utf8.Valid(src) && !bytes.ContainsAny(src, "\x00\r") { // as almost every file, and found out quickly
		return 0, ""
	}
	for i := 0; i < len(src); {
		c, n := utf8.DecodeRune(src[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			return i, "this character is not UTF-8; save the file as UTF-8"
		case c == 0:
			return i, "this character is NUL, as in a file that is no text; save the file as plain text"
		case c == '\r' && (i+1 == len(src) || src[i+1] != '\n'):
			return i, "the line ends in CR alone, as only old machines write it; save the file with LF or CRLF"
		}
		i += n
	}
	return 0, ""
}

// Place gives the line and column, from 1, of an offset in a text. A byte order
// mark is no character.
func Place(src []byte, at int) (line, column int) {
	before := bytes.TrimPrefix(src[:at], []byte("\ufeff"))
	start := bytes.LastIndexByte(before, '\n') + 1
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[start:])
}
