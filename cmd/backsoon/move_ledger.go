package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
)

func moveLedgerCommand(s *site) *cobra.Command {
	return &cobra.Command{
		Use:   "move-ledger ADDRESS",
		Short: "Copy the ledger out of its file into an empty PostgreSQL database",
		Long: "Copy the ledger out of its file into an empty PostgreSQL database, all of it or nothing. Stop the watcher\n" +
			"first. In the address ${NAME} stands for an environment variable, so that no password is in the command:\n\n" +
			"  backsoon move-ledger 'postgres://backsoon:${DB_PASSWORD}@db.example/backsoon'",
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.load(); err != nil {
				return err
			}
			return s.moveLedger(cmd.Context(), args[0], cmd.OutOrStdout())
		},
	}
}

func (s *site) moveLedger(ctx context.Context, written string, out io.Writer) error {
	if !ledger.IsAddress(written) {
		return usagef("write the address of an empty database: postgres://user:${DB_PASSWORD}@host/database")
	}
	if s.cfg.Database == "" || ledger.IsAddress(s.cfg.Database) {
		return errors.New("the ledger is in PostgreSQL already, as `database:` in backsoon.yaml says")
	}
	address, err := withEnvironment(written)
	if err != nil {
		return err
	}
	release, err := ledger.Lock(s.cfg.Lock())
	if held := (*ledger.HeldError)(nil); errors.As(err, &held) {
		return fmt.Errorf("%w; stop it, and run this again", err)
	}
	if err != nil {
		return err
	}
	defer release()
	copied, err := ledger.Move(ctx, s.cfg.Database, address)
	if err != nil {
		return err
	}
	return s.printMoved(out, copied)
}

// withEnvironment puts the environment's values in the place of each ${NAME}.
func withEnvironment(text string) (expanded string, err error) {
	expanded = os.Expand(text, func(name string) string {
		value, ok := os.LookupEnv(name)
		if !ok && err == nil {
			err = fmt.Errorf("the environment variable %s is not set", name)
		}
		return value
	})
	return expanded, err
}

func (s *site) printMoved(out io.Writer, copied []ledger.Copied) error {
	t := newTable(out, "TABLE", "ROWS")
	for _, c := range copied {
		t.row(c.Table, strconv.Itoa(c.Rows))
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nThe whole ledger is copied. Now write the address as `database:` into backsoon.yaml, on every machine that\n"+
		"shares it, and start the watchers. %s is as it was; nobody reads it any more.\n", s.cfg.Database)
	return err
}
