package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/address"
	"github.com/backsoon/backsoon/internal/export"
	"github.com/backsoon/backsoon/internal/ledger"
)

// A long list is put down by batches, with a pause behind each for whoever waits for
// the ledger: no checkout is to wait for a million lines. So many are sorted at once
// that a batch touches a small part of the ledger, where in no order it would touch
// nearly all.
const (
	importSorted = 50_000 // lines
	importBatch  = 2000
	importPause  = 20 * time.Millisecond
)

// importSubscribers adds the file's good lines, all of them or none, and lists
// the others with why.
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
	in.footer = newFooter(progress)
	in.name, in.out = path, in.footer.above(out)
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		in.size = int(info.Size())
	}
	l, err := s.openToWrite(ctx, true)
	if err != nil {
		return err
	}
	defer l.Close()
	if in.barred, err = s.barred(ctx, l); err != nil {
		return err
	}
	done, err := in.run(ctx, l)
	in.footer.show("")
	if ctx.Err() != nil && err != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		return fmt.Errorf("%s: %w; nobody was added", path, err)
	}
	fmt.Fprintf(out, "%d added, %d known, %d refused\n", done.Counts["added"], done.Counts["known"], done.Counts["refused"])
	return nil
}

// barred gives what finds the addresses that were removed while they were
// suppressed; nil: there are none.
func (s *site) barred(ctx context.Context, l *ledger.Ledger) (func(address string) bool, error) {
	var seals map[string]bool
	err := l.View(ctx, func(tx *ledger.Tx) (err error) {
		seals, err = tx.AllSuppressed()
		return err
	})
	if err != nil || len(seals) == 0 {
		return nil, err
	}
	keys, err := s.keys()
	return func(address string) bool {
		return slices.ContainsFunc(keys.Seals(address), func(seal string) bool { return seals[seal] })
	}, err
}

// csvImport reads subscribers from CSV (RFC 4180) with a header line. Each has a
// line to himself: a " too many must not swallow those that follow.
type csvImport struct {
	text        *bufio.Reader
	comma       rune // what is between the columns
	columns     map[string]int
	storefronts []string
	barred      func(address string) bool // whether nothing may be sent there, although the address is forgotten
	footer      *footer                   // for whoever waits; nil: nobody
	size        int                       // of the list in bytes; 0: not known
	name        string                    // of the list, for whoever reads of what is refused
	out         io.Writer                 // where that is told, line by line
	refused     int
	position
}

// position is how much of a list was read.
type position struct{ bytes, lines int }

func newImport(r io.Reader, storefronts []string) (*csvImport, error) {
	in := &csvImport{text: bufio.NewReader(r), columns: map[string]int{}, storefronts: storefronts, out: io.Discard}
	if bom, _ := in.text.Peek(3); string(bom) == "\ufeff" {
		_, _ = in.text.Discard(len(bom))
	}
	first, _ := in.text.Peek(in.text.Size())
	in.comma = separator(first)
	header, err := in.row()
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

// separator is what the first line has between its columns. Spreadsheets write a
// semicolon where people write 1,5 for one and a half.
func separator(text []byte) rune {
	line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	if i := bytes.IndexAny(line, ",;\t"); i >= 0 {
		return rune(line[i])
	}
	return ','
}

// row reads the next line that isn't blank.
func (in *csvImport) row() ([]string, error) {
	for {
		line, err := in.text.ReadString('\n')
		if line == "" && err != nil {
			return nil, err
		}
		in.lines++
		in.bytes += len(line)
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		fields := csv.NewReader(strings.NewReader(line))
		fields.Comma = in.comma
		fields.TrimLeadingSpace = true
		return fields.Read()
	}
}

// run imports the list. It ends with the entry in the log.
func (in *csvImport) run(ctx context.Context, l *ledger.Ledger) (done ledger.Entry, err error) {
	into, err := l.BeginImport(ctx)
	if err != nil {
		return done, err
	}
	defer func() {
		if err != nil {
			in.footer.show("taking back what was put down")
		}
		err = errors.Join(err, into.Close())
	}()
	began := time.Now()
	for last := false; !last; {
		var subs []ledger.Subscriber
		before := in.position
		if subs, last, err = in.take(time.Now()); err != nil {
			return done, err
		}
		slices.SortStableFunc(subs, func(a, b ledger.Subscriber) int {
			return strings.Compare(strings.ToLower(a.Email), strings.ToLower(b.Email))
		})
		down := 0
		for batch := range slices.Chunk(subs, importBatch) {
			if err := into.Add(ctx, batch); err != nil {
				return done, err
			}
			down += len(batch)
			in.footer.show(in.since(before, float64(down)/float64(len(subs))).say(in.size, time.Since(began)))
			select {
			case <-ctx.Done():
				return done, ctx.Err()
			case <-time.After(importPause):
			}
		}
	}
	return into.Finish(context.WithoutCancel(ctx), in.refused, time.Now())
}

// since is how far the import is when so much of what was read since then is put down.
func (p position) since(before position, share float64) position {
	return position{before.bytes + int(share*float64(p.bytes-before.bytes)), before.lines + int(share*float64(p.lines-before.lines))}
}

// say tells whoever waits how far the import is; size is the list's in bytes, 0
// where it is not known.
func (p position) say(size int, took time.Duration) string {
	perSecond, _ := pace(p.lines, 0, took)
	_, left := pace(p.bytes, size, took)
	share := ""
	if size > 0 {
		share = fmt.Sprintf(", %d %%", 100*min(p.bytes, size)/size)
	}
	return fmt.Sprintf("%d lines%s, %s", p.lines, share, paced(perSecond, left))
}

// take reads the next subscribers; last tells that they end the list.
func (in *csvImport) take(now time.Time) (subs []ledger.Subscriber, last bool, err error) {
	for range importSorted {
		row, err := in.row()
		if errors.Is(err, io.EOF) {
			return subs, true, nil
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			in.refuse(`a " is in the wrong place; put the whole field in quotes, and write "" for a quote within`)
			continue
		}
		if err != nil {
			return nil, false, err
		}
		sub, err := in.subscriber(row, now)
		if err != nil {
			in.refuse(err.Error())
			continue
		}
		subs = append(subs, sub)
	}
	return subs, false, nil
}

func (in *csvImport) refuse(why string) {
	in.refused++
	fmt.Fprintf(in.out, "%s:%d: %s\n", in.name, in.lines, why)
}

// subscriber makes one of a line, or says why it can't be taken.
func (in *csvImport) subscriber(row []string, now time.Time) (ledger.Subscriber, error) {
	sub := ledger.Subscriber{Storefronts: strings.Fields(in.cell(row, "storefronts")), Language: in.cell(row, "language"), Confirmed: now}
	written := in.cell(row, "email")
	var err error
	if sub.Email, err = address.Read(written); err != nil {
		return sub, fmt.Errorf("%q %w", written, err)
	}
	if in.barred != nil && in.barred(sub.Email) {
		return sub, fmt.Errorf("%q was removed after mail to it had come back; write another address of the same person", written)
	}
	switch text := strings.ToLower(in.cell(row, "until_reopen")); text {
	case "", "no":
	case "yes":
		sub.UntilReopen = true
	default:
		return sub, fmt.Errorf("until_reopen is %q; write yes or no", text)
	}
	sub.Suppressed = in.cell(row, "suppressed")
	for _, id := range sub.Storefronts {
		if !slices.Contains(in.storefronts, id) {
			return sub, fmt.Errorf("there is no storefront %q; write one of: %s", id, strings.Join(in.storefronts, " "))
		}
	}
	return sub, nil
}

func (in *csvImport) cell(row []string, column string) string {
	i, ok := in.columns[column]
	if !ok || i >= len(row) {
		return ""
	}
	return export.Revive(strings.TrimSpace(row[i]))
}
