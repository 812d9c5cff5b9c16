package checkpoint

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/mail"
	"strings"
)

// Header is the field of a mail that holds a checkpoint; see HeaderTokens.
const Header = "Backsoon-Checkpoint"

// tokenSize is how much of a header's value stands on one line: with its name
// before it, a line stays within the 78 characters of RFC 5322, section 2.1.1.
const tokenSize = 56

// HeaderTokens is a checkpoint as a mail's header has it: the signed note in base64
// (RFC 4648, section 4), in pieces between which the header may be folded. Whoever
// reads it takes all white space out first.
func HeaderTokens(signed string) (tokens []string) {
	text := base64.StdEncoding.EncodeToString([]byte(signed))
	for len(text) > tokenSize {
		tokens, text = append(tokens, text[:tokenSize]), text[tokenSize:]
	}
	return append(tokens, text)
}

// Find gives the signed checkpoint that a file holds: the note itself, the status.json
// of a shop, a mail saved whole, or a proof.
func Find(file []byte) (signed string, err error) {
	for _, in := range []func([]byte) string{inJSON, inMail, inProof, inNote} {
		signed := in(file)
		if _, err := Read(signed); err == nil {
			return signed, nil
		}
	}
	return "", errors.New("holds no checkpoint: neither as a file of its own, nor as status.json, a saved mail or a proof has one")
}

func inJSON(file []byte) string {
	var status struct{ Log struct{ Checkpoint string } }
	if json.Unmarshal(file, &status) != nil {
		return ""
	}
	return status.Log.Checkpoint
}

func inMail(file []byte) string {
	if bytes.HasPrefix(file, []byte("From ")) { // as in an mbox (RFC 4155)
		_, file, _ = bytes.Cut(file, []byte("\n"))
	}
	m, err := mail.ReadMessage(bytes.NewReader(file))
	if err != nil {
		return ""
	}
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m.Header.Get(Header)), ""))
	if err != nil {
		return ""
	}
	return string(text)
}

func inProof(file []byte) string {
	p, err := ParseProof(file)
	if err != nil {
		return ""
	}
	return p.Checkpoint
}

func inNote(file []byte) string { return strings.ReplaceAll(string(file), "\r\n", "\n") }
