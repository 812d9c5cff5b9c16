package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/subscribe"
	"github.com/backsoon/backsoon/notify"
)

func planCommand(s *site) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Tell what will happen and when; changes nothing",
		Args:  takes(0, 0),
	}
	now, asJSON := nowFlag(cmd), jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.load(); err != nil {
			return err
		}
		plan, err := s.plan(cmd.Context(), now.Time)
		if err != nil {
			return err
		}
		for _, r := range plan.Refused {
			fmt.Fprintln(cmd.ErrOrStderr(), r)
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), plan)
		}
		return s.printPlan(cmd.OutOrStdout(), plan)
	}
	return cmd
}

// plan asks the ledger, or, where there is none yet, one that is thrown away.
func (s *site) plan(ctx context.Context, now time.Time) (plan notify.Plan, err error) {
	l, err := s.openLedger(ctx, false)
	if errors.Is(err, ledger.ErrMissing) {
		dir, err := os.MkdirTemp("", "backsoon-plan-*")
		if err != nil {
			return plan, err
		}
		defer os.RemoveAll(dir)
		if l, err = ledger.Open(ctx, filepath.Join(dir, "plan.db"), true); err != nil {
			return plan, err
		}
	} else if err != nil {
		return plan, err
	}
	defer l.Close()
	w := s.watcher(l, subscribe.Keys{newKey()}, slog.New(slog.DiscardHandler))
	if err := w.Look(ctx); err != nil {
		return plan, err
	}
	return w.Plan(ctx, now)
}

func (s *site) printPlan(out io.Writer, plan notify.Plan) error {
	if len(plan.Transitions)+len(plan.Mail) == 0 {
		_, err := fmt.Fprintln(out, "Nothing will change by itself.")
		return err
	}
	t := newTable(out, "WHEN", "WHAT", "NOTICE")
	transitions, mail := plan.Transitions, plan.Mail
	for len(transitions)+len(mail) > 0 {
		if len(mail) == 0 || (len(transitions) > 0 && !mail[0].At.Before(transitions[0].At)) {
			tr := transitions[0]
			front, _ := s.cfg.Storefront(tr.Storefront)
			t.row(s.when(tr.At, plan.Now), fmt.Sprintf("checkout %s at %s, %s", tr.Checkout, tr.Storefront, plural(len(front.Webhooks), "webhook")), tr.Notice)
			transitions = transitions[1:]
			continue
		}
		m := mail[0]
		t.row(s.when(m.At, plan.Now), fmt.Sprintf("mail “%s” to %s", m.Kind, plural(m.Recipients, "subscriber")), m.Notice)
		mail = mail[1:]
	}
	return t.flush()
}

// plural is a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
