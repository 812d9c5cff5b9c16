package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Mistake is what is wrong with a file of the theme.
type Mistake struct {
	File   string // as it is in a site: templates/pages/index.html
	Line   int    // from 1; 0: the whole file is meant
	Column int    // in bytes, from 1; 0: the whole line
	Text   string
}

// Error gives templates/pages/index.html:3: what is wrong.
func (m *Mistake) Error() string {
	where := m.File
	if m.Line > 0 {
		where += fmt.Sprint(":", m.Line)
	}
	if m.Column > 0 {
		where += fmt.Sprint(":", m.Column)
	}
	return where + ": " + m.Text
}

// Name is the name to parse a file of the theme under, for its errors to be told
// by: mail/letter.txt is templates/mail/letter.txt in a site.
func Name(file string) string { return path.Join("templates", file) }

// located is how the template packages tell where something is wrong.
var located = regexp.MustCompile(`^(templates/[^:]+):(\d+)(?::(\d+))?: (.*)$`)

// Explain makes a Mistake of an error of reading, parsing or executing a template
// that has its Name. Other errors stay as they are.
func Explain(err error) error {
	var missing *fs.PathError
	if errors.As(err, &missing) {
		return &Mistake{File: Name(missing.Path), Text: missing.Err.Error()}
	}
	if err == nil {
		return nil
	}
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "html/template:"), "template: ")
	m := located.FindStringSubmatch(strings.ReplaceAll(text, "\n", " "))
	if m == nil {
		return errors.New(text)
	}
	line, _ := strconv.Atoi(m[2])
	column, _ := strconv.Atoi(m[3])
	return &Mistake{m[1], line, column, m[4]}
}
