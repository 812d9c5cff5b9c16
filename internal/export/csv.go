package export

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"reflect"
	"strings"

	"github.com/backsoon/backsoon/internal/ledger"
)

// table is the entries as CSV (RFC 4180), a column for each name in their JSON.
func table(w io.Writer) (write func(ledger.Record) error, end func() error) {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	heads := columns(reflect.TypeFor[ledger.Entry](), "")
	_ = out.Write(heads) // what goes wrong, the end says
	return func(r ledger.Record) error { return writeRow(out, heads, r) }, func() error {
		out.Flush()
		return out.Error()
	}
}

// columns are the names in the JSON of a struct, those of one inside it after its
// own: by.name.
func columns(t reflect.Type, prefix string) (names []string) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Type == reflect.TypeFor[*ledger.By]() {
			names = append(names, columns(field.Type.Elem(), prefix+name+".")...)
			continue
		}
		names = append(names, prefix+name)
	}
	return names
}

func writeRow(out *csv.Writer, heads []string, r ledger.Record) error {
	var entry map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.Entry), &entry); err != nil {
		return err
	}
	row := make([]string, len(heads))
	for i, head := range heads {
		value := entry[head]
		if outer, inner, nested := strings.Cut(head, "."); nested {
			var within map[string]json.RawMessage
			if len(entry[outer]) > 0 {
				if err := json.Unmarshal(entry[outer], &within); err != nil {
					return err
				}
			}
			value = within[inner]
		}
		row[i] = cell(value)
	}
	return out.Write(row)
}

// cell is a value as a spreadsheet shows it: text without quotes, anything else as
// JSON has it.
func cell(value json.RawMessage) string {
	text := string(value)
	var unquoted string
	if json.Unmarshal(value, &unquoted) == nil {
		text = unquoted
	}
	return Inert(text)
}

// Inert is a text that no spreadsheet takes for a formula: where it is one, it begins
// with an apostrophe, as OWASP advises (https://owasp.org/www-community/attacks/CSV_Injection).
func Inert(text string) string {
	if formula(text) {
		return "'" + text
	}
	return text
}

// Revive gives back what Inert was given.
func Revive(cell string) string {
	if formula(cell) {
		return strings.TrimPrefix(cell, "'")
	}
	return cell
}

// formula looks behind apostrophes, so that Revive knows those of Inert from others.
func formula(text string) bool {
	text = strings.TrimLeft(text, "'")
	return text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0]))
}
