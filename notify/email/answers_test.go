package email

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// talker is a mail server that says 250 to everything, but for what it is told to
// say: to each command by its first word, or to the final dot by ".". An answer of
// "" hangs up.
type talker struct {
	answers map[string]string

	mu    sync.Mutex
	heard [][]string // by connection
}

func (s *talker) talk(w net.Conn, lines *bufio.Scanner) {
	s.mu.Lock()
	c := len(s.heard)
	s.heard = append(s.heard, nil)
	s.mu.Unlock()
	fmt.Fprint(w, "220 hi\r\n")
	content := false
	for lines.Scan() {
		verb, _, _ := strings.Cut(lines.Text(), " ")
		if content && verb != "." {
			continue
		}
		s.mu.Lock()
		s.heard[c] = append(s.heard[c], verb)
		s.mu.Unlock()
		answer, told := s.answers[verb]
		if told && answer == "" {
			return
		}
		if !told {
			answer = map[string]string{"DATA": "354 go", "QUIT": "221 bye"}[verb]
		}
		content = strings.HasPrefix(answer, "354") || content && verb != "."
		if answer == "" {
			answer = "250 ok"
		}
		fmt.Fprintf(w, "%s\r\n", answer)
	}
}

// said gives what was said on each connection, the greeting and the farewell left
// out.
func (s *talker) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, verbs := range s.heard {
		line := strings.TrimPrefix(strings.Join(verbs, " "), "EHLO ")
		all = append(all, strings.TrimSuffix(line, " QUIT"))
	}
	return strings.Join(all, " | ")
}

// TestWhatIsSaidNext sends two messages to a server with one odd answer: what each
// comes to, and by which commands, over one connection or two. After acceptance no
// RSET is said, so none can fail; after anything but a clean reply to MAIL or RCPT
// the connection is given up.
func TestWhatIsSaidNext(t *testing.T) {
	const whole = "MAIL RCPT DATA ."
	for name, test := range map[string]struct {
		answers map[string]string
		want    Verdict // on both
		said    string
	}{
		"all well":                   {nil, Sent, whole + " " + whole},
		"RSET refused, mail taken":   {map[string]string{"RSET": "554 5.5.1 no"}, Sent, whole + " " + whole},
		"RSET hangs up, mail taken":  {map[string]string{"RSET": ""}, Sent, whole + " " + whole},
		"RCPT refused":               {map[string]string{"RCPT": "550 5.1.1 no"}, BadAddress, "MAIL RCPT RSET MAIL RCPT RSET"},
		"RCPT refused, RSET as well": {map[string]string{"RCPT": "550 5.1.1 no", "RSET": "554 no"}, BadAddress, "MAIL RCPT RSET | MAIL RCPT RSET"},
		"RCPT refused, RSET hangs":   {map[string]string{"RCPT": "550 no", "RSET": ""}, Refused, "MAIL RCPT RSET | MAIL RCPT RSET"},
		"MAIL refused":               {map[string]string{"MAIL": "550 5.7.1 no"}, SenderFault, "MAIL MAIL"},
		"DATA refused":               {map[string]string{"DATA": "554 5.5.1 no"}, SenderFault, "MAIL RCPT DATA | MAIL RCPT DATA"},
		"DATA later":                 {map[string]string{"DATA": "451 4.3.0 no"}, Retry, "MAIL RCPT DATA | MAIL RCPT DATA"},
		"the mail refused":           {map[string]string{".": "554 5.6.0 no"}, SenderFault, whole + " | " + whole},
		"hung up at RCPT":            {map[string]string{"RCPT": ""}, Retry, "MAIL RCPT | MAIL RCPT"},
		"hung up after the dot":      {map[string]string{".": ""}, Retry, whole + " | " + whole},
		"shutting down at RCPT":      {map[string]string{"RCPT": "421 4.3.2 bye"}, Retry, "MAIL RCPT | MAIL RCPT"},
	} {
		t.Run(name, func(t *testing.T) {
			server := &talker{answers: test.answers}
			s := scripted(t, server.talk)
			for range 2 {
				want(t, s.Send(t.Context(), from, to, body), test.want)
			}
			_ = s.Close()
			if said := server.said(); said != test.said {
				t.Errorf("said %q, want %q", said, test.said)
			}
		})
	}
}
