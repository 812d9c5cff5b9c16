package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/verify"
)

func logVerifyCommand(s *site) *cobra.Command {
	var kept, keys []string
	var proof string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Verify that nobody has changed the log since it was written",
		Long: "Verify that nobody has changed the log since it was written: that every entry is the one that was signed, that\n" +
			"none is missing, that each change has one entry, and that the log goes on from every earlier checkpoint that\n" +
			"you kept: a file with one, a status.json, or a saved mail. The first entry that doesn't hold is named.\n\n" +
			"With --proof it verifies a proof that `backsoon log prove` wrote, and needs no ledger and no site: only --key.\n\n" +
			"  backsoon log verify --checkpoint december.txt --checkpoint letter.eml\n" +
			"  backsoon log verify --proof entry-12.tlog-proof --key status.harbourbooks.example/log+9f3a…",
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if proof != "" {
				if len(keys) != 1 || len(kept) > 0 {
					return usagef("write: backsoon log verify --proof FILE --key VERIFIERKEY")
				}
				return verifyProof(cmd.OutOrStdout(), proof, keys[0])
			}
			if err := s.load(); err != nil {
				return err
			}
			return s.verifyLog(cmd.Context(), cmd.OutOrStdout(), kept, keys)
		},
	}
	cmd.Flags().StringArrayVar(&kept, "checkpoint", nil, "a `file` with an earlier checkpoint; may be given several times")
	cmd.Flags().StringArrayVar(&keys, "key", nil, "the `verifier key` to believe, in the place of the site's own; may be given several times")
	cmd.Flags().StringVar(&proof, "proof", "", "a `file` that log prove wrote")
	return cmd
}

// verifyLog verifies the site's log against the files, and against what the site
// itself has published.
func (s *site) verifyLog(ctx context.Context, out io.Writer, files, keys []string) error {
	earlier, err := keptIn(files)
	if err != nil {
		return err
	}
	published, err := s.published()
	if err != nil {
		return err
	}
	var report verify.Report
	err = s.view(ctx, func(tx *ledger.Tx) error {
		if keys, err = s.believed(tx, keys); err != nil {
			return err
		}
		report, err = verify.Ledger(tx, keys, append(earlier, published...))
		return err
	})
	if err != nil {
		return err
	}
	return s.printReport(out, report)
}

// keptIn reads the checkpoints in the files.
func keptIn(files []string) (kept []verify.Kept, err error) {
	for _, name := range files {
		text, err := readSmall(name)
		if err != nil {
			return nil, err
		}
		signed, err := checkpoint.Find(text)
		if err != nil {
			return nil, fmt.Errorf("%s %w", name, err)
		}
		kept = append(kept, verify.Kept{Name: name, Signed: signed})
	}
	return kept, nil
}

// readSmall reads a file that holds a checkpoint or a proof: a mail with pictures is
// the largest.
func readSmall(name string) ([]byte, error) {
	const most = 32 << 20
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if len(text) > most {
		return nil, fmt.Errorf("%s has more than 32 MB, as no mail and no checkpoint has", name)
	}
	return text, err
}

// believed gives the keys to believe: those that were named, or else the site's own,
// for each of its logs.
func (s *site) believed(tx *ledger.Tx, named []string) ([]string, error) {
	if len(named) > 0 {
		return named, nil
	}
	key, err := s.readLogKey()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("this machine has no data/log.key, so it can't tell whose signatures to believe: name the shop's key with --key; the shop's `backsoon log key` prints it")
	}
	if err != nil {
		return nil, err
	}
	logs, err := tx.Logs()
	for _, log := range logs {
		named = append(named, key.Verifier(log.Origin()))
	}
	return named, err
}

func (s *site) printReport(out io.Writer, r verify.Report) error {
	var b strings.Builder
	for _, log := range r.Logs {
		fmt.Fprintf(&b, "%s: %s", log.Origin(), entries(log.Size))
		if log.Size > 0 {
			fmt.Fprintf(&b, ", from %s to %s", s.when(log.From, time.Now()), s.when(log.To, time.Now()))
		}
		fmt.Fprintf(&b, "\n  none is missing, and each is what was signed, in %s\n", plural(log.Checkpoints, "checkpoint"))
		if len(log.Agreeing) > 0 {
			fmt.Fprintf(&b, "  it goes on from %s\n", locale.English().List(log.Agreeing))
		}
		if !log.Trusted {
			fmt.Fprintf(&b, "  it was signed with a key that is not this machine's, and is believed because the ledger says so: %s\n", log.Verifier)
		}
	}
	for _, name := range r.Accepted {
		fmt.Fprintf(&b, "%s is of entries that were lost, as the log that began then records\n", name)
	}
	fmt.Fprintf(&b, "%s of %s and %s have one entry each, and the ledger is as the last ones say.\n",
		plural(r.Revisions, "change"), plural(r.Storefronts, "storefront"), plural(r.Versions, "accepted version"))
	b.WriteString("The log holds.\n")
	_, err := io.WriteString(out, b.String())
	return err
}

func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprint(n, " entries")
}

// verifyProof verifies a proof by the key alone.
func verifyProof(out io.Writer, name, key string) error {
	text, err := readSmall(name)
	if err != nil {
		return err
	}
	p, err := checkpoint.ParseProof(text)
	if err != nil {
		return fmt.Errorf("%s %w", name, err)
	}
	c, err := p.Verify(key)
	if err != nil {
		return fmt.Errorf("%s proves nothing: %w", name, err)
	}
	_, err = fmt.Fprintf(out, "%s\nThis is entry %d of the %d that the log %s had when its key signed the checkpoint in %s.\n", p.Entry, p.Index, c.Size, c.Origin, name)
	return err
}
