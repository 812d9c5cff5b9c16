package bounce

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
)

// separator begins the line before each message of an mbox.
const separator = "From "

// Messages gives the messages of an mbox (RFC 4155), or the one message that r is,
// each as far as Read looks at it. It reads to the end, whatever is left out.
func Messages(r io.Reader) iter.Seq2[[]byte, error] {
	in := bufio.NewReaderSize(r, 64<<10)
	return func(yield func([]byte, error) bool) {
		first, _ := in.Peek(len(separator))
		mbox := string(first) == separator
		var msg []byte
		begun, blank := false, true // blank: the line before was
		for {
			line, err := in.ReadSlice('\n')
			if mbox && blank && bytes.HasPrefix(line, []byte(separator)) {
				if begun && !yield(msg, nil) {
					return
				}
				msg, line = nil, nil
			} else if blank = len(bytes.TrimRight(line, "\r\n")) == 0; len(msg) < maxSize {
				msg = append(msg, line...)
			}
			begun = begun || len(msg) > 0
			switch {
			case errors.Is(err, io.EOF):
				if begun {
					yield(msg, nil)
				}
				return
			case err != nil && !errors.Is(err, bufio.ErrBufferFull):
				yield(nil, err)
				return
			}
		}
	}
}
