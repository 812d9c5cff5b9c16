package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// BenchmarkMail sends a closure's mail, personal messages of about 5 KB, to 20,000
// subscribers through the ledger to postfix's smtp-sink, and takes turns with
// postfix's own smtp-source, which makes up its messages and remembers nothing.
// ratio is our rate over that of smtp-source; MB the most memory that the program
// held. Far away means 10 ms for a round trip.
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

const letters = 20_000

func compareMail(b *testing.B, far time.Duration, connections int) {
	server := postfixSink(b)
	if far > 0 {
		server = distant(b, server, far)
	}
	theirs := smtpSource(b, server, connections)
	f := newFanOut(b, "", server, connections, letters)
	pid, end := f.watch()
	defer end()
	f.write("content/closures/flood.md", "---\ntitle: Flood\ncloses: 2026-11-20 10:00\n---\nWater.\n")
	f.until("the mail has begun", func() bool { return f.story.has(fmt.Sprintf(" to %d subscribers", letters)) })
	began := time.Now()
	f.until("the mail is done", func() bool { return f.story.has(fmt.Sprintf(" done: %d sent, 0 failed", letters)) })
	ours := letters / time.Since(began).Seconds()
	b.ReportMetric(ours/theirs, "ratio")
	b.ReportMetric(ours, "ours/s")
	b.ReportMetric(theirs, "smtp-source/s")
	b.ReportMetric(float64(peak(b, pid))/1024, "MB")
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
func smtpSource(b *testing.B, server string, connections int) float64 {
	b.Helper()
	began := time.Now()
	spend(b, "/usr/sbin/smtp-source", "-s", fmt.Sprint(connections), "-m", fmt.Sprint(letters), "-l", "5120",
		"-f", "closures@harbour.example", "-t", "reader@example.com", server)
	return letters / time.Since(began).Seconds()
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
