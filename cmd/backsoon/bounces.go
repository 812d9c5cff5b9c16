package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/subscribe"
	"github.com/backsoon/backsoon/notify/bounce"
	"github.com/backsoon/backsoon/notify/email"
)

func bouncesCommand(s *site) *cobra.Command {
	return &cobra.Command{
		Use:   "bounces [FILE|MAILDIR]",
		Short: "Read what came back: write no more to those who can't be reached, complained, or leave by mail",
		Long: "Read the reports of mail that could not be delivered and of readers who complained, and mails by which readers\n" +
			"leave, from a Maildir, an mbox, a file with one message, or standard input. Those who can't be reached or\n" +
			"complained get no more mail; `backsoon subscribers list` says why. docs/bounces.md says how to have this run by\n" +
			"itself.",
		Args: takes(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.load(); err != nil {
				return err
			}
			return s.readBounces(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), strings.Join(args, ""))
		},
	}
}

// readBounces obeys the reports at the path; "" stands for standard input.
func (s *site) readBounces(ctx context.Context, in io.Reader, out io.Writer, path string) error {
	keys, err := s.readKeys()
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("no mail has gone out from here yet, so none can have come back")
	}
	if err != nil {
		return err
	}
	l, err := s.openToWrite(ctx, false)
	if err != nil {
		return err
	}
	defer l.Close()
	b := &bouncer{l: l, links: s.links(keys), out: out}
	if err := b.read(ctx, in, path); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d suppressed, %d counted, %d known, %d passed over",
		plural(b.messages, "message"), b.came[nowSuppressed], b.came[nowCounted], b.came[alreadyKnown], b.came[passedOver])
	if b.left > 0 {
		err = errors.Join(err, l.Scrub(ctx))
		fmt.Fprintf(out, ", %d left", b.left)
	}
	fmt.Fprintln(out)
	return err
}

// bouncer obeys reports.
type bouncer struct {
	l     *ledger.Ledger
	links subscribe.Links
	out   io.Writer

	messages int
	left     int // by a mail
	came     [passedOver + 1]int
}

// consequence is what came of a report.
type consequence int

const (
	nowSuppressed consequence = iota // nothing goes to the address any more
	nowCounted                       // the third such letter suppresses the address
	alreadyKnown                     // this had its consequence already
	passedOver                       // nothing follows from it
)

func (b *bouncer) read(ctx context.Context, in io.Reader, path string) error {
	if path == "" {
		return b.mailbox(ctx, "standard input", in)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return b.maildir(ctx, path)
	}
	return b.mailbox(ctx, path, f)
}

// maildir reads the new messages of a Maildir (https://cr.yp.to/proto/maildir.html)
// and makes each one that is done with a seen one, in cur.
func (b *bouncer) maildir(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(filepath.Join(dir, "new"))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is no Maildir, which has folders new and cur in it", dir)
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(dir, "new", e.Name())
		if !e.Type().IsRegular() {
			continue
		}
		if err := b.read(ctx, nil, name); err != nil {
			return err
		}
		if err := os.Rename(name, filepath.Join(dir, "cur", e.Name()+":2,S")); err != nil {
			return err
		}
	}
	return nil
}

// mailbox reads an mbox or one message.
func (b *bouncer) mailbox(ctx context.Context, name string, r io.Reader) error {
	first := b.messages
	for raw, err := range bounce.Messages(r) {
		if err == nil {
			b.messages++
			err = b.obey(ctx, fmt.Sprintf("%s, message %d", name, b.messages-first), raw)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// obey does what follows from one message, and says what.
func (b *bouncer) obey(ctx context.Context, name string, raw []byte) error {
	r := bounce.Read(bytes.NewReader(raw))
	if r.Empty() {
		return b.letGo(ctx, name, r)
	}
	what, words := passedOver, "is about a letter that is not ours, or cannot prove that it is"
	if address, ours := b.whose(r); ours {
		letter := sha256.Sum256([]byte(cmp.Or(r.Letter.Get("Message-ID"), r.ID, string(raw))))
		err := b.l.Update(ctx, func(tx *ledger.Tx) (err error) {
			what, words, err = b.act(tx, r, address, hex.EncodeToString(letter[:]))
			words = address + " " + words
			return err
		})
		if err != nil {
			return err
		}
	}
	b.came[what]++
	_, err := fmt.Fprintf(b.out, "%s: %s\n", name, words)
	return err
}

// letGo ends the subscription of who leaves by mail (RFC 2369): the mailto: in a
// letter has the same proof in its subject as the link has. A sender's name proves
// nothing. What else people and machines write to a sender is passed over.
func (b *bouncer) letGo(ctx context.Context, name string, r bounce.Report) error {
	if !strings.Contains(strings.ToLower(r.Subject), "unsubscribe") {
		b.came[passedOver]++ // a holiday note, an answer
		return nil
	}
	if address, ours := b.proven(r.Subject); ours {
		return b.remove(ctx, name, address)
	}
	b.came[passedOver]++
	_, err := fmt.Fprintf(b.out, "%s: somebody wants to leave and can't prove who: if it is %s, run backsoon subscribers remove for that address\n", name, cmp.Or(r.From, "the sender"))
	return err
}

// proven gives the address that one of the words is the proof of.
func (b *bouncer) proven(words string) (address string, ours bool) {
	for word := range strings.FieldsSeq(words) {
		if address, ours = b.links.Address(word); ours {
			return address, true
		}
	}
	return "", false
}

func (b *bouncer) remove(ctx context.Context, name, address string) error {
	subscribed := false
	err := b.l.Update(ctx, func(tx *ledger.Tx) (err error) {
		if subscribed, _, err = tx.Forget(address, b.links.Keys.Seals(address)[0]); subscribed && err == nil {
			_, err = tx.Audit(removedEntry())
		}
		return err
	})
	if err != nil {
		return err
	}
	what := "leaves, and is removed"
	if subscribed {
		b.left++
	} else {
		what = "has left before"
		b.came[alreadyKnown]++
	}
	_, err = fmt.Fprintf(b.out, "%s: %s %s\n", name, address, what)
	return err
}

// whose gives the address that the letter was for, if the report proves that it
// knows the letter: by the return path that it came to, or by the link to leave in
// the letter that it brings back. Anybody can write a report, and nobody else can
// make either.
func (b *bouncer) whose(r bounce.Report) (address string, ours bool) {
	for _, path := range r.Came {
		if address, ours = email.Returned(b.links.Keys, path); ours {
			return address, true
		}
	}
	for _, link := range bracketed.FindAllStringSubmatch(r.Letter.Get("List-Unsubscribe"), -1) {
		u, err := url.Parse(link[1])
		if err != nil {
			continue
		}
		if address, ours = b.proven(path.Base(u.Path) + " " + u.Query().Get("subject")); ours {
			return address, true
		}
	}
	return "", false
}

var bracketed = regexp.MustCompile(`<([^<>\s]*)>`)

// act carries out a report on a letter to the address.
func (b *bouncer) act(tx *ledger.Tx, r bounce.Report, address, letter string) (consequence, string, error) {
	sub, err := tx.Subscriber(address)
	switch {
	case err != nil:
		return passedOver, "", err
	case sub.Suppressed != "":
		return alreadyKnown, "is suppressed already: " + sub.Suppressed, nil
	case r.Complaint != "" && sub.ID == 0:
		return b.bar(tx, address, r.Complaint)
	case r.Complaint != "":
		return b.suppress(tx, sub, "the reader complained ("+r.Complaint+")", "a reader complained")
	}
	fate, about := r.About(sub.Email)
	if !about {
		return passedOver, "is one of several, and the report doesn't say what became of this one", nil
	}
	return b.bounced(tx, sub, fate, letter)
}

// bounced does as the sender does when a server says the same at once.
func (b *bouncer) bounced(tx *ledger.Tx, sub ledger.Subscriber, fate bounce.Fate, letter string) (consequence, string, error) {
	why := fate.Why
	if !strings.Contains(why, fate.Status) {
		why = strings.TrimSpace(fate.Status + " " + why)
	}
	switch verdict := fate.Verdict(); {
	case verdict == email.Sent:
		return passedOver, "has the letter", nil
	case verdict == email.Retry:
		return passedOver, "has to wait for the letter: " + why, nil
	case verdict == email.Deferred:
		return passedOver, "has a mail server that refuses us, whoever we write to: " + why, nil
	case sub.ID == 0:
		return passedOver, "is not subscribed", nil
	case verdict == email.BadAddress:
		return b.suppress(tx, sub, "came back: "+why, "there is no such mailbox")
	}
	return b.count(tx, sub, letter, "came back: "+why)
}

// suppress ends the mail to a subscriber. The log says why, not who.
func (b *bouncer) suppress(tx *ledger.Tx, sub ledger.Subscriber, why, logged string) (consequence, string, error) {
	if err := tx.Suppress(sub.ID, why); err != nil {
		return passedOver, "", err
	}
	return nowSuppressed, "is suppressed: " + why, logSuppressed(tx, logged)
}

func (b *bouncer) count(tx *ledger.Tx, sub ledger.Subscriber, letter, why string) (consequence, string, error) {
	fresh, err := tx.CountBounce(sub.ID, letter, why, time.Now())
	if err != nil || !fresh {
		return alreadyKnown, "is counted already: " + why, err
	}
	if sub, err = tx.Subscriber(sub.Email); err != nil || sub.Suppressed == "" {
		return nowCounted, "is counted: " + why, err
	}
	return nowSuppressed, "is suppressed after three letters: " + why, logSuppressed(tx, "three letters came back")
}

// bar keeps mail from who complained of being asked, or has left since.
func (b *bouncer) bar(tx *ledger.Tx, address, complaint string) (consequence, string, error) {
	seals := b.links.Keys.Seals(address)
	if barred, err := tx.Suppressed(seals); err != nil || barred {
		return alreadyKnown, "is suppressed already", err
	}
	if err := tx.Bar(address, seals[0]); err != nil {
		return passedOver, "", err
	}
	return nowSuppressed, "is not subscribed, and is not asked again: the reader complained (" + complaint + ")", logSuppressed(tx, "a reader complained")
}

func logSuppressed(tx *ledger.Tx, why string) error {
	_, err := tx.Audit(ledger.Entry{Time: time.Now(), Event: ledger.SubscriberSuppressed, Reason: why, Counts: ledger.Counts{"suppressed": 1}})
	return err
}
