package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// A long list goes in by batches, each a transaction with its own entry in the
// log, and with a pause behind it: whoever waits for SQLite looks up to a tenth
// of a second apart, and no checkout is to wait for a million lines.
const (
	importBatch = 10_000 // lines
	importPause = 100 * time.Millisecond
)

// importSubscribers adds the file's good lines, and lists the others with why.
func (s *site) importSubscribers(ctx context.Context, out, progress io.Writer, path string) error {
	if err := s.load(); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in, err := newImport(f, s.cfg.StorefrontIDs())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if isTerminal(progress) {
		in.progress = progress
	}
	l, err := s.openLedger(ctx, true)
	if err != nil {
		return err
	}
	defer l.Close()
	err = in.run(ctx, l)
	for _, r := range in.refused {
		fmt.Fprintf(out, "%s:%s\n", path, r)
	}
	fmt.Fprintf(out, "%d added, %d known, %d refused\n", in.total["added"], in.total["known"], in.total["refused"])
	if err != nil {
		return fmt.Errorf("%s: %w; the rest was not imported: run it again", path, err)
	}
	return nil
}

// csvImport reads subscribers from CSV (RFC 4180) with a header line.
type csvImport struct {
	rows        *csv.Reader
	columns     map[string]int
	storefronts []string
	progress    io.Writer // nil: nobody waits
	total       ledger.Counts
	refused     []string // line: why
}

func newImport(r io.Reader, storefronts []string) (*csvImport, error) {
	buffered := bufio.NewReader(r)
	if bom, _ := buffered.Peek(3); string(bom) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	in := &csvImport{rows: csv.NewReader(buffered), columns: map[string]int{}, storefronts: storefronts,
		total: ledger.Counts{}}
	in.rows.FieldsPerRecord = -1
	in.rows.TrimLeadingSpace = true
	header, err := in.rows.Read()
	var broken *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty; its first line has to be: email,storefronts,language")
	case errors.As(err, &broken):
		return nil, errors.New(`the first line has a " too many or too few; write: email,storefronts,language`)
	case err != nil:
		return nil, err
	}
	for i, name := range header {
		in.columns[strings.ToLower(strings.TrimSpace(name))] = i
	}
	if _, ok := in.columns["email"]; !ok {
		return nil, errors.New("the first line names no column email; write: email,storefronts,language")
	}
	return in, nil
}

// batch is what goes in together.
type batch struct {
	subscribers []ledger.Subscriber
	refused     []string // line: why
}

func (b *batch) size() int { return len(b.subscribers) + len(b.refused) }

func (b *batch) refuse(line int, why string) {
	b.refused = append(b.refused, fmt.Sprintf("%d: %s", line, why))
}

// run imports one batch after the other. A list without lines is logged, too.
func (in *csvImport) run(ctx context.Context, l *ledger.Ledger) error {
	for lines := 0; ; {
		b, err := in.read()
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
		if b.size() > 0 || lines == 0 {
			if err := in.write(ctx, l, b); err != nil {
				return err
			}
		}
		lines += b.size()
		in.show(lines, last)
		if last {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(importPause):
		}
	}
}

// show tells whoever waits how far it is, unless it is over at once.
func (in *csvImport) show(lines int, last bool) {
	switch {
	case in.progress == nil:
	case !last:
		fmt.Fprintf(in.progress, "\r%d lines", lines)
	case lines >= importBatch:
		fmt.Fprintf(in.progress, "\r%d lines\n", lines)
	}
}

// read reads the next batch; io.EOF comes with the last one.
func (in *csvImport) read() (b batch, err error) {
	now := time.Now()
	for b.size() < importBatch {
		row, err := in.rows.Read()
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			b.refuse(broken.StartLine, `a " is in the wrong place; put the whole field in quotes, and write "" for a quote within`)
			continue
		}
		if err != nil {
			return b, err
		}
		sub := in.subscriber(row, now)
		if why := in.wrong(sub); why != "" {
			line, _ := in.rows.FieldPos(0)
			b.refuse(line, why)
			continue
		}
		b.subscribers = append(b.subscribers, sub)
	}
	return b, nil
}

// write adds a batch to the ledger, and to what is told in the end.
func (in *csvImport) write(ctx context.Context, l *ledger.Ledger, b batch) error {
	counts := ledger.Counts{"added": 0, "known": 0, "refused": len(b.refused)}
	err := l.Update(ctx, func(tx *ledger.Tx) error {
		for _, sub := range b.subscribers {
			added, err := tx.AddSubscriber(sub)
			if err != nil {
				return err
			}
			if added {
				counts["added"]++
			} else {
				counts["known"]++
			}
		}
		_, err := tx.Audit(ledger.Entry{Time: time.Now(), Event: ledger.SubscribersImported, Counts: counts})
		return err
	})
	if err != nil {
		return err
	}
	in.refused = append(in.refused, b.refused...)
	for what, n := range counts {
		in.total[what] += n
	}
	return nil
}

func (in *csvImport) subscriber(row []string, now time.Time) ledger.Subscriber {
	return ledger.Subscriber{Email: in.cell(row, "email"), Storefronts: strings.Fields(in.cell(row, "storefronts")),
		Language: in.cell(row, "language"), Confirmed: now}
}

func (in *csvImport) cell(row []string, column string) string {
	i, ok := in.columns[column]
	if !ok || i >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[i])
}

// wrong says why a line can't be taken; "": it can.
func (in *csvImport) wrong(sub ledger.Subscriber) string {
	a, err := mail.ParseAddress(sub.Email)
	_, domain, _ := strings.Cut(sub.Email, "@")
	if err != nil || a.Name != "" || a.Address != sub.Email || !strings.Contains(domain, ".") || strings.Contains(domain, "[") {
		return fmt.Sprintf("%q is not an e-mail address; write name@example.org", sub.Email)
	}
	for _, id := range sub.Storefronts {
		if !slices.Contains(in.storefronts, id) {
			return fmt.Sprintf("there is no storefront %q; write one of: %s", id, strings.Join(in.storefronts, " "))
		}
	}
	return ""
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
