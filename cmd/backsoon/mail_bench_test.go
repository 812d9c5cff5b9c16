package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// BenchmarkMail sends a closure's mail, personal messages of about 5 KB, to 20,000
// subscribers through the ledger to postfix's smtp-sink, and takes turns with
// postfix's own smtp-source, which makes up its messages and remembers nothing.
// ratio is our rate over that of smtp-source, in the median of the turns; MB the most
// memory that the program held. The messages of both are of the same size. Far away
// means 10 ms for a round trip.
//
//	make bench-mail
func BenchmarkMail(b *testing.B) {
	if _, err := exec.LookPath("/usr/sbin/smtp-sink"); err != nil {
		b.Fatal("this needs postfix's smtp-sink and smtp-source; make bench-mail fetches them")
	}
	for _, c := range []struct {
		name        string
		far         time.Duration // one way
		connections int
	}{{"loopback-4", 0, 4}, {"far-16", 5 * time.Millisecond, 16}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				compareMail(b, c.far, c.connections)
			}
			b.ReportMetric(0, "ns/op") // says nothing
		})
	}
}

const (
	letters = 20_000
	turns   = 3
)

// flood is a notice whose mail has about 5 KB.
var flood = "---\ntitle: Flood\ncloses: 2026-11-20 10:00\n---\n" + strings.Repeat("The cellar is full of water, and so is the room with the parcels. ", 2) + "\n"

func compareMail(b *testing.B, far time.Duration, connections int) {
	server := postfixSink(b)
	if far > 0 {
		server = distant(b, server, far)
	}
	ourSize := sizeOf(b, func(server string) { sendFlood(b, server, 1, 1) })
	payload := ourSize - (sizeOf(b, func(server string) { smtpSource(b, server, 1, 1, 1000) }) - 1000) // theirs has headers, too
	if ourSize < 4900 || ourSize > 5500 {
		b.Fatalf("a letter has %d bytes, not about 5 KB", ourSize)
	}
	var ratios, ours, theirs, memory []float64
	for range turns {
		source := smtpSource(b, server, connections, letters, payload)
		rate, held := sendFlood(b, server, connections, letters)
		ratios, ours, theirs = append(ratios, rate/source), append(ours, rate), append(theirs, source)
		memory = append(memory, held)
	}
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(ours), "ours/s")
	b.ReportMetric(median(theirs), "smtp-source/s")
	b.ReportMetric(slices.Max(memory), "MB")
	b.ReportMetric(float64(ourSize), "B/letter")
}

// sendFlood has a watcher mail to so many subscribers, and gives how many letters it
// sends a second, and how much memory it held at most, in MB.
func sendFlood(b *testing.B, server string, connections, n int) (perSecond, held float64) {
	b.Helper()
	f := newFanOut(b, fmt.Sprintf("listen: %s\npublic_url: https://closures.harbour.example/", freeAddress(b)), server, connections, n)
	pid, end := f.watch()
	defer end()
	f.write("content/closures/flood.md", flood)
	f.until("the mail has begun", func() bool { return f.story.has(" to " + plural(n, "subscriber")) })
	began := time.Now()
	f.until("the mail is done", func() bool { return f.story.has(fmt.Sprintf(" done: %d sent, 0 failed", n)) })
	return float64(n) / time.Since(began).Seconds(), float64(peak(b, pid)) / 1024
}

// sizeOf gives the bytes of the message that is sent to the server.
func sizeOf(b *testing.B, send func(server string)) (size int) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	sizes := make(chan int, 1)
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return scale{sizes: sizes}, nil }))
	go server.Serve(l)
	defer server.Close()
	send(l.Addr().String())
	return <-sizes
}

// scale weighs a message.
type scale struct {
	drain
	sizes chan int
}

func (s scale) Data(r io.Reader) error {
	n, err := io.Copy(io.Discard, r)
	s.sizes <- int(n)
	return err
}

// postfixSink is a mail server that takes everything, and says that it pipelines.
func postfixSink(b *testing.B) (address string) {
	b.Helper()
	address = freeAddress(b)
	args := []string{address, "256"}
	if os.Getuid() == 0 {
		args = append([]string{"-u", "nobody"}, args...) // it refuses to be root
	}
	sink := exec.Command("/usr/sbin/smtp-sink", args...)
	if err := sink.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { sink.Process.Kill(); sink.Wait() })
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address
		}
	}
	b.Fatal("smtp-sink does not answer")
	return ""
}

// smtpSource gives how many messages a second smtp-source sends.
func smtpSource(b *testing.B, server string, connections, n, payload int) float64 {
	b.Helper()
	began := time.Now()
	spend(b, "/usr/sbin/smtp-source", "-s", fmt.Sprint(connections), "-m", fmt.Sprint(n), "-l", fmt.Sprint(payload),
		"-f", "closures@harbour.example", "-t", "reader@example.com", server)
	return float64(n) / time.Since(began).Seconds()
}

// distant is the server behind a line that takes so long, one way.
func distant(b *testing.B, server string, oneWay time.Duration) (address string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", server)
			if err != nil {
				near.Close()
				continue
			}
			go carry(far, near, oneWay)
			go carry(near, far, oneWay)
		}
	}()
	return l.Addr().String()
}

// carry passes on what comes, each piece after the delay, and keeps many on the way.
func carry(to, from net.Conn, delay time.Duration) {
	type piece struct {
		due   time.Time
		bytes string
	}
	line := make(chan piece, 1024)
	go func() {
		defer to.Close()
		for p := range line {
			time.Sleep(time.Until(p.due))
			if _, err := io.Copy(to, strings.NewReader(p.bytes)); err != nil {
				return
			}
		}
	}()
	defer close(line)
	for buffer := make([]byte, 64<<10); ; {
		n, err := from.Read(buffer)
		if n > 0 {
			line <- piece{time.Now().Add(delay), string(buffer[:n])}
		}
		if err != nil {
			return
		}
	}
}
