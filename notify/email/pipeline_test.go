package email

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/config"
)

// answering is a mail server that answers each command as it is told. It notes how
// many commands it had read before it answered.
type answering struct {
	addr      string
	extension string                              // beside EHLO's greeting; may be empty
	answer    func(command string) (reply string) // of what isn't the usual
	mu        sync.Mutex
	together  int // the most commands that came in one go
	messages  int
}

func (s *answering) start(t *testing.T) *answering {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *answering) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	fmt.Fprint(conn, "220 mail.test\r\n")
	inMessage := false
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		if inMessage {
			if line == ".\r\n" {
				inMessage = false
				s.mu.Lock()
				s.messages++
				s.mu.Unlock()
				fmt.Fprint(conn, "250 taken\r\n")
			}
			continue
		}
		s.mu.Lock()
		s.together = max(s.together, 1+strings.Count(s.rest(r), "\r\n"))
		s.mu.Unlock()
		reply := s.reply(strings.TrimSpace(line))
		inMessage = strings.HasPrefix(reply, "354")
		fmt.Fprint(conn, reply+"\r\n")
	}
}

// rest is what has come and was not read yet.
func (s *answering) rest(r *bufio.Reader) string {
	waiting, _ := r.Peek(r.Buffered())
	return string(waiting)
}

func (s *answering) reply(command string) string {
	if s.answer != nil {
		if reply := s.answer(command); reply != "" {
			return reply
		}
	}
	verb, _, _ := strings.Cut(command, " ")
	switch verb {
	case "EHLO":
		return "250-mail.test\r\n250 " + s.extension
	case "DATA":
		return "354 go on"
	case "QUIT":
		return "221 bye"
	}
	return "250 ok"
}

func (s *answering) sender(t *testing.T) *Sender {
	sender := NewSender(config.Email{Server: s.addr, TLS: config.NoTLS, Connections: 1})
	t.Cleanup(func() { sender.Close() })
	return sender
}

const letterToAnn = "From: a@shop.example\r\nTo: ann@example.org\r\nSubject: s\r\n\r\nHello.\r\n"

// TestPipelining sends commands together where the server offers that, and one
// after the other where it doesn't.
func TestPipelining(t *testing.T) {
	for extension, together := range map[string]int{"PIPELINING": 3, "8BITMIME": 1} {
		s := (&answering{extension: extension}).start(t)
		sender := s.sender(t)
		for range 3 {
			if out := sender.Send(t.Context(), "a@shop.example", "ann@example.org", []byte(letterToAnn)); out.Verdict != Sent {
				t.Errorf("%s: %+v", extension, out)
			}
		}
		s.mu.Lock()
		if s.messages != 3 || s.together != together {
			t.Errorf("%s: %d messages, %d commands at once", extension, s.messages, s.together)
		}
		s.mu.Unlock()
	}
}

// TestPipelinedRefusals refuses each of the commands that came together: the first
// refusal is the one that counts, and the next message goes through.
func TestPipelinedRefusals(t *testing.T) {
	for _, c := range []struct {
		name    string
		replies map[string]string
		want    Verdict
	}{
		{"MAIL", map[string]string{"MAIL": "550 5.7.1 not you", "RCPT": "503 no sender", "DATA": "503 no recipient"}, SenderFault},
		{"RCPT", map[string]string{"RCPT": "550 5.1.1 nobody", "DATA": "503 no recipient"}, BadAddress},
		{"RCPT, and takes a message to nobody", map[string]string{"RCPT": "550 5.1.1 nobody"}, BadAddress},
		{"DATA", map[string]string{"DATA": "451 4.3.0 later"}, Retry},
		{"421", map[string]string{"MAIL": "421 4.3.2 closing", "RCPT": "421 closing", "DATA": "421 closing"}, Retry},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusing := true
			s := (&answering{extension: "PIPELINING"})
			s.answer = func(command string) string {
				if verb, _, _ := strings.Cut(command, " "); refusing {
					return c.replies[verb]
				}
				return ""
			}
			sender := s.start(t).sender(t)
			out := sender.Send(t.Context(), "a@shop.example", "ann@example.org", []byte(letterToAnn))
			if out.Verdict != c.want {
				t.Errorf("refused: %+v", out)
			}
			refusing = false
			if out := sender.Send(t.Context(), "a@shop.example", "ann@example.org", []byte(letterToAnn)); out.Verdict != Sent {
				t.Errorf("the next one: %+v", out)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.messages != 1 {
				t.Errorf("%d messages", s.messages)
			}
		})
	}
}

// TestRate holds the sender to so many messages a second.
func TestRate(t *testing.T) {
	s := (&answering{extension: "PIPELINING"}).start(t)
	sender := NewSender(config.Email{Server: s.addr, TLS: config.NoTLS, Connections: 4, Rate: 20})
	defer sender.Close()
	began := time.Now()
	for range 5 {
		if out := sender.Send(t.Context(), "a@shop.example", "ann@example.org", []byte(letterToAnn)); out.Verdict != Sent {
			t.Fatal(out)
		}
	}
	if took := time.Since(began); took < 190*time.Millisecond {
		t.Errorf("five messages in %v", took)
	}
}
