package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Screen shows the whole demo on one page: a notice to edit, the status page, the
// shop's checkout, the mailbox, and the log as it happens. The fields are set
// before it is used; it is safe for concurrent use.
type Screen struct {
	Name    string // the shop's
	At      Places
	Notices string // the folder of the notices' files
	Index   string // the status page's file
	Shop    *Shop
	Mailbox *Mailbox
	Desk    Desk

	mu      sync.Mutex
	log     []Line // the oldest first
	command *Command
}

// Places are the addresses of what the screen shows, and its own, each with a
// trailing slash.
type Places struct{ Screen, Status, Shop, Mailbox string }

// Desk is where the owner works: with files, and with commands.
type Desk interface {
	// Notices gives every notice's file, in the order in which the owner wants
	// them.
	Notices(ctx context.Context) ([]Notice, error)
	// Save writes a notice's file whole, by a rename, as editors do.
	Save(slug, text string) error
	// Run runs one of backsoon's commands with its one argument.
	Run(ctx context.Context, command, of string) Command
}

// Notice is a notice's file as the owner sees it.
type Notice struct {
	Slug     string
	File     string // content/closures/flood.md
	Title    string
	Tone     string // its phase, in one word
	Standing string // its phase, in words: "closes Thu 24 December, 18:00"
	InForce  bool
	Text     string
	Fixed    bool // the text can't be edited here: it is no text, or can't be read
	Mistakes []Mistake
}

// Mistake is what the owner should put right, and where; Line and Column count
// from 1, and are 0 where the whole file or line is meant.
type Mistake struct {
	Where        string // content/closures/flood.md:4:9
	Line, Column int
	Text         string
	Warning      bool // the file counts all the same
}

// Version tells one text of a notice from another.
func (n Notice) Version() string {
	sum := sha256.Sum256([]byte(n.Text))
	return hex.EncodeToString(sum[:8])
}

// Wrong tells whether the file doesn't count, because of a mistake.
func (n Notice) Wrong() bool {
	return slices.ContainsFunc(n.Mistakes, func(m Mistake) bool { return !m.Warning })
}

// Command is a command and what came of it.
type Command struct {
	Line    string // as one types it
	Printed string
	Failed  bool
	Slug    string // of the notice that it was about; empty: there is none
}

// Line is a line of the log.
type Line struct {
	Time time.Time // in the shop's zone
	Tone string    // what it is about, in one word
	Text string
}

// most is how many lines, and how many mails, the screen shows.
const most = 200

// Log adds a line.
func (s *Screen) Log(l Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, l)
}

// lines gives the lines of the log, the newest first and numbered.
func (s *Screen) lines() (lines []numberedLine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.log) - 1; i >= 0 && len(lines) < most; i-- {
		lines = append(lines, numberedLine{i + 1, s.log[i]})
	}
	return lines
}

type numberedLine struct {
	Number int // counts from 1 and never changes
	Line
}

// marks tells of each part of the screen whether it is as it was: while it is,
// its mark is the same.
func (s *Screen) marks() map[string]string {
	_, revision := s.Shop.State()
	s.mu.Lock()
	lines := strconv.Itoa(len(s.log))
	s.mu.Unlock()
	return map[string]string{
		"notices":  stamp(filepath.Join(s.Notices, "*.md")) + "," + lines, // what time does to a notice is in the log
		"status":   stamp(s.Index),
		"checkout": strconv.FormatInt(revision, 10),
		"mail":     strconv.Itoa(s.Mailbox.count()),
		"log":      lines,
	}
}

// stamp tells one state of the files that match from another, without reading
// them.
func stamp(pattern string) string {
	hash := sha256.New()
	names, _ := filepath.Glob(pattern) // only a bad pattern is an error
	for _, name := range names {
		if info, err := os.Lstat(name); err == nil {
			fmt.Fprintln(hash, name, info.Size(), info.ModTime().UnixNano())
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// edited is a text from a form as the owner's file has it: forms send CRLF.
func edited(text, before string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if strings.Contains(before, "\r\n") {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return text
}
