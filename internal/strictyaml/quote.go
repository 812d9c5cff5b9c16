package strictyaml

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
)

// Scalar writes a text as a value that ends with its line, in quotes only where
// it needs them.
func Scalar(text string) string {
	if isPlain(text, " -_./+()'’–—€%,:") && !strings.Contains(text, ": ") && !strings.HasSuffix(text, ":") {
		return text
	}
	return Quote(text)
}

// Word writes a text that can also stand as a key, or between brackets.
func Word(text string) string {
	if isPlain(text, " -_./+()'’–—€%") {
		return text
	}
	return Quote(text)
}

// Quote writes a text between double quotes. JSON's strings are YAML's
// (https://yaml.org/spec/1.2.2/#13-terminology and section 1.2).
func Quote(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// isPlain is narrower than YAML: letters and digits and, within the text, what
// others names.
func isPlain(text, others string) bool {
	for i, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && (i == 0 || !strings.ContainsRune(others, r)) {
			return false
		}
	}
	return text != "" && !strings.HasSuffix(text, " ") && !strings.Contains(text, "  ")
}
