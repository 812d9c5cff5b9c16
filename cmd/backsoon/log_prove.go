package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
)

func logProveCommand(s *site) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "prove INDEX",
		Short: "Write a proof that an entry is in the log, to be verified without the log",
		Long: "Write a proof that the entry of that index is in the log: the entry itself, and what leads from it to a signed\n" +
			"checkpoint (c2sp.org/tlog-proof). Whoever has the shop's key (`backsoon log key`) verifies it with `backsoon log\n" +
			"verify --proof FILE --key KEY`, or any other program that reads such proofs, without the ledger.",
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			index, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || index < 0 {
				return usagef("%q is not the index of an entry; `backsoon log --json` shows each entry's", args[0])
			}
			var p checkpoint.Proof
			err = s.view(cmd.Context(), func(tx *ledger.Tx) error {
				p, err = prove(tx, index)
				return err
			})
			if err != nil {
				return err
			}
			if file == "" {
				_, err = cmd.OutOrStdout().Write(p.Format())
				return err
			}
			return overwrite(file, p.Format(), 0o644)
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "the `file` to write, such as entry-12.tlog-proof; without it: standard output")
	return cmd
}

// prove shows that the entry is in its log, as that stands now.
func prove(tx *ledger.Tx, index int64) (p checkpoint.Proof, err error) {
	records, err := tx.Records(index, 1)
	if err != nil {
		return p, err
	}
	if len(records) == 0 || records[0].Index != index {
		return p, fmt.Errorf("the log has no entry %d; `backsoon log --json` shows each entry's index", index)
	}
	log, err := logOf(tx, index)
	if err != nil {
		return p, err
	}
	p = checkpoint.Proof{Entry: []byte(records[0].Entry), Index: index - log.First, Checkpoint: log.Checkpoint}
	if p.Hashes, err = tlog.ProveRecord(log.Size, p.Index, tx.Tree(log.Number)); err != nil {
		return p, err
	}
	if _, err := p.Verify(log.Verifier); err != nil { // what doesn't hold proves nothing
		return p, errors.New("the entry is not what was signed; `backsoon log verify` says more")
	}
	return p, nil
}

// logOf is the log that an entry is in.
func logOf(tx *ledger.Tx, index int64) (ledger.Log, error) {
	logs, err := tx.Logs()
	if err != nil {
		return ledger.Log{}, err
	}
	for _, log := range logs {
		if log.First <= index && index < log.First+log.Size {
			return log, nil
		}
	}
	return ledger.Log{}, errors.New("no log covers that entry yet: the log of a ledger from an earlier version is signed at the next start of `backsoon watch`")
}
