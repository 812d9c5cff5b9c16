package checkout

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os/exec"
	"strconv"
	"strings"
)

// How large an object may be, in bytes. No checkout that people work in comes near.
const (
	maxCommit = 1 << 20
	maxTree   = 32 << 20
)

var (
	// ErrTooLarge is that an object is larger than it may be.
	ErrTooLarge = errors.New("is larger than it may be")
	// ErrCut is that a part of the history isn't here.
	ErrCut = errors.New("the history of this checkout is cut off, so that nobody can tell which commit it is from; bring the rest: git fetch --unshallow")

	errMissing = errors.New("isn't in the repository")
	errTooLong = errors.New("git took too long")
)

// Reader reads a checkout's objects. It is for one goroutine.
type Reader struct {
	ctx     context.Context
	c       *Checkout
	folder  []string // the way to the folder that it reads files of, from a commit's tree
	session *session // nil: none is open
	links   map[string]links
	listed  [2]listing // the last ones: a commit's and its parent's
}

// session is one run of `git cat-file --batch` (git-cat-file(1), "BATCH OUTPUT").
type session struct {
	cmd       *exec.Cmd
	ask       io.WriteCloser
	answers   *bufio.Reader
	complaint bytes.Buffer
}

// Read gives a reader of the files of one folder, which is named relative to the
// folder that the checkout was found around. The context bounds what git may take in
// all. Close has to follow.
func (c *Checkout) Read(ctx context.Context, folder string) *Reader {
	return &Reader{ctx: ctx, c: c, folder: strings.Split(c.prefix+folder, "/"), links: map[string]links{}}
}

// Close ends git.
func (r *Reader) Close() {
	if s := r.session; s != nil {
		s.ask.Close()
		_ = s.cmd.Process.Kill() // it may be in the middle of an answer that nobody wants
		_ = s.cmd.Wait()
		r.session = nil
	}
}

func (r *Reader) open() error {
	switch {
	case r.ctx.Err() != nil:
		return errTooLong
	case r.session != nil:
		return nil
	}
	s := &session{cmd: Command(r.ctx, r.c.gitDir, "--git-dir="+r.c.gitDir, "cat-file", "--batch")}
	s.cmd.Stderr = &s.complaint
	var out io.Reader
	var err error
	if s.ask, err = s.cmd.StdinPipe(); err == nil {
		out, err = s.cmd.StdoutPipe()
	}
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return failure(err, nil)
	}
	s.answers = bufio.NewReaderSize(out, 64<<10)
	r.session = s
	return nil
}

// object gives the bytes of an object by its id, or of HEAD's commit. They are those
// that the id is the hash of.
func (r *Reader) object(name, kind string, limit int64) (id string, body []byte, err error) {
	if err := r.open(); err != nil {
		return "", nil, err
	}
	id, got, body, err := r.session.read(name, limit)
	switch {
	case errors.Is(err, errMissing):
		return "", nil, err
	case err != nil:
		return "", nil, r.broken(err)
	case got != kind:
		return "", nil, fmt.Errorf("git object %s is a %s, not a %s", name, got, kind)
	case name != "HEAD" && name != id, hashOf(id, kind, body) != id:
		return "", nil, fmt.Errorf("git object %s has other bytes than its name says; the repository is damaged, or somebody forged it", name)
	}
	return id, body, nil
}

// broken ends a session in which what comes next is anybody's guess.
func (r *Reader) broken(err error) error {
	s := r.session
	r.Close()
	switch {
	case r.ctx.Err() != nil:
		return errTooLong
	case errors.Is(err, ErrTooLarge):
		return err
	}
	return failure(err, s.complaint.Bytes())
}

func (s *session) read(name string, limit int64) (id, kind string, body []byte, err error) {
	if _, err := fmt.Fprintln(s.ask, name); err != nil {
		return "", "", nil, s.ended(err)
	}
	line, err := s.answers.ReadString('\n')
	if err != nil {
		return "", "", nil, s.ended(err)
	}
	words := strings.Fields(line)
	if len(words) == 2 && words[1] == "missing" {
		return "", "", nil, errMissing
	}
	if len(words) != 3 {
		return "", "", nil, fmt.Errorf("it answers %q", strings.TrimSpace(line))
	}
	size, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil || size < 0 {
		return "", "", nil, fmt.Errorf("it answers %q", strings.TrimSpace(line))
	}
	if size > limit {
		return "", "", nil, ErrTooLarge
	}
	body = make([]byte, size+1) // and a new line
	if _, err := io.ReadFull(s.answers, body); err != nil {
		return "", "", nil, s.ended(err)
	}
	return words[0], words[1], body[:size], nil
}

// ended waits for what a git that has ended complains about.
func (s *session) ended(err error) error {
	s.ask.Close()
	_ = s.cmd.Wait()
	return err
}

// hashOf is an object's name: the hash of its kind, size and bytes, in hex
// (gitformat-pack(5); SHA-256 as of hash-function-transition). The length of the
// name that is expected tells which hash.
func hashOf(expected, kind string, body []byte) string {
	var h hash.Hash
	switch len(expected) {
	case 2 * sha1.Size:
		h = sha1.New()
	case 2 * sha256.Size:
		h = sha256.New()
	default:
		return ""
	}
	fmt.Fprintf(h, "%s %d\x00", kind, len(body))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// isID tells an object's name, in hex, from other text.
func isID(text string) bool {
	_, err := hex.DecodeString(text)
	return err == nil && text == strings.ToLower(text) && (len(text) == 2*sha1.Size || len(text) == 2*sha256.Size)
}
