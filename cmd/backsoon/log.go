package main

import (
	"bufio"
	"io"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
)

// logPage is how many entries are read from the ledger at once.
const logPage = 1000

// onOneScreen is how many rows a terminal is shown unless it asks for more.
const onOneScreen = 50

func logCommand(s *site) *cobra.Command {
	var f filter
	var n int
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Tell who published what, when, and what came of it",
		Long: "Tell who published what, when, and what came of it; the newest last. What is asked for by several\n" +
			"flags has to meet all of them. Times are on the shop's clocks: 2026-12-24, or \"2026-12-24 18:00\".",
		Args: takes(0, 0),
	}
	asJSON := jsonFlag(cmd)
	f.flags(cmd)
	cmd.Flags().IntVarP(&n, "number", "n", 0, "the newest `N` alone; 0: all, which is what a file or a program gets (a terminal: 50)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if n < 0 {
			return usagef("--number: %d is no number of entries; write -n 20, or -n 0: all", n)
		}
		columns, terminal := width(cmd.OutOrStdout())
		if terminal && !*asJSON && !cmd.Flags().Changed("number") {
			n = onOneScreen
		}
		return s.view(cmd.Context(), func(tx *ledger.Tx) error {
			if err := f.read(s, tx); err != nil {
				return err
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			v := view{out: out, errs: cmd.ErrOrStderr(), json: *asJSON, terminal: terminal, columns: columns, colour: terminal && colourful()}
			if err := s.printLog(tx, f, n, v); err != nil {
				return err
			}
			return out.Flush()
		})
	}
	cmd.AddCommand(logKeyCommand(s), logVerifyCommand(s), logProveCommand(s), logExportCommand(s))
	return cmd
}

// view is how the log is shown.
type view struct {
	out, errs        io.Writer
	json             bool
	terminal, colour bool
	columns          int // of the terminal
}

// printLog prints the newest n entries that pass the filter, or all where n is 0.
func (s *site) printLog(tx *ledger.Tx, f filter, n int, v view) error {
	shown := f.passes
	if !v.json {
		shown = func(e ledger.Entry) bool { return !folded(e) && f.passes(e) }
	}
	from, more, err := newest(tx, n, shown)
	if err != nil {
		return err
	}
	show, finish, err := s.printer(tx, from, v)
	if err != nil {
		return err
	}
	count := 0
	err = eachEntry(tx, from, func(e ledger.Entry) error {
		if !shown(e) {
			return nil
		}
		count++
		return show(e)
	})
	if err != nil {
		return err
	}
	if count == 0 {
		return f.nothing(s, tx, v)
	}
	return finish(more)
}

// printer gives what prints one entry, and what ends the whole.
func (s *site) printer(tx *ledger.Tx, from int64, v view) (show func(ledger.Entry) error, finish func(more bool) error, err error) {
	if v.json {
		return func(e ledger.Entry) error { return printJSON(v.out, e) }, func(bool) error { return nil }, nil
	}
	came, err := outcomesFrom(tx, s, from)
	if err != nil {
		return nil, nil, err
	}
	if v.terminal {
		t := &logTable{site: s, view: v}
		return func(e ledger.Entry) error { return t.row(e, came.of(e)) }, t.finish, nil
	}
	return func(e ledger.Entry) error {
		_, err := io.WriteString(v.out, s.line(e)+came.behind(e)+"\n")
		return err
	}, func(bool) error { return nil }, nil
}

// newest finds the index from which on n entries pass, and whether more do before it.
func newest(tx *ledger.Tx, n int, passes func(ledger.Entry) bool) (from int64, more bool, err error) {
	if n == 0 {
		return 0, false, nil
	}
	const end = 1<<63 - 1
	for before := int64(end); ; {
		entries, err := tx.EntriesBefore(before, logPage)
		if err != nil || len(entries) == 0 {
			return from, false, err
		}
		for _, e := range entries {
			if before = e.Index; !passes(e) {
				continue
			}
			if n == 0 {
				return from, true, nil
			}
			n--
			from = e.Index
		}
	}
}

func eachEntry(tx *ledger.Tx, from int64, f func(ledger.Entry) error) error {
	for {
		entries, err := tx.Entries(from, logPage)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			if err := f(e); err != nil {
				return err
			}
			from = e.Index + 1
		}
	}
}
