package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/export"
	"github.com/backsoon/backsoon/internal/ledger"
)

func logExportCommand(s *site) *cobra.Command {
	return &cobra.Command{
		Use:   "export DIR",
		Short: "Write the log as files that others can read and verify: JSON lines, CSV and tiles",
		Long: "Write the log into a folder: log.jsonl, one entry a line; log.csv for a spreadsheet; and the tree with its\n" +
			"checkpoint as tiles (c2sp.org/tlog-tiles), which programs of others verify. Where the folder has an earlier\n" +
			"export, the log has to go on from that, and what is new is added.",
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.view(cmd.Context(), func(tx *ledger.Tx) error {
				written, err := export.Write(tx, args[0])
				if err != nil {
					return err
				}
				for _, w := range written {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s of %s, %d of them new\n", w.Dir, entries(w.Size), w.Origin, w.New)
				}
				return nil
			})
		},
	}
}
