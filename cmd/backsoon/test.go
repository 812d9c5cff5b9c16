package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/address"
	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/subscribe"
	"github.com/backsoon/backsoon/notify"
	"github.com/backsoon/backsoon/notify/webhook"
)

func testCommand(s *site) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Send a real, clearly marked test through the real path",
		Args:  takes(0, 0),
		RunE: func(*cobra.Command, []string) error {
			return usagef("write: backsoon test webhook STOREFRONT, or backsoon test mail ADDRESS")
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "webhook STOREFRONT",
		Short: "Send a signed test to each webhook of a storefront; no receiver obeys it",
		Args:  takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.testWebhook(cmd.Context(), cmd.OutOrStdout(), args[0])
		},
	}, &cobra.Command{
		Use:   "mail ADDRESS",
		Short: "Send a test mail",
		Args:  takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.testMail(cmd.Context(), cmd.OutOrStdout(), args[0])
		},
	})
	return cmd
}

func (s *site) testWebhook(ctx context.Context, out io.Writer, id string) error {
	if err := s.load(); err != nil {
		return err
	}
	front, err := s.storefront(id)
	if err != nil {
		return err
	}
	if len(front.Webhooks) == 0 {
		return fmt.Errorf("storefront %s has no webhooks in backsoon.yaml", id)
	}
	if err := s.cfg.NeedSecrets(); err != nil {
		return err
	}
	failed := 0
	for _, h := range front.Webhooks {
		outcome := s.sendTest(ctx, front, h)
		if outcome.Acknowledged {
			fmt.Fprintf(out, "%s: acknowledged (%d)\n", notify.ShownURL(h.URL), outcome.Status)
			continue
		}
		failed++
		fmt.Fprintf(out, "%s: %v\n", notify.ShownURL(h.URL), outcome.Err)
	}
	if failed > 0 {
		return fmt.Errorf("not acknowledged by %d of %s", failed, plural(len(front.Webhooks), "webhook"))
	}
	return nil
}

// sendTest sends a message of type "test" without a revision, which no receiver
// obeys.
func (s *site) sendTest(ctx context.Context, front config.Storefront, h config.Webhook) webhook.Outcome {
	now := time.Now()
	body, err := json.Marshal(webhook.Payload{Type: webhook.TypeTest, Timestamp: now.UTC().Truncate(time.Second), Data: webhook.Data{
		Storefront: front.ID, Checkout: "on", Message: "A test from backsoon: nothing has changed", URL: s.cfg.Shop.URL.String(),
	}})
	if err != nil {
		return webhook.Outcome{Err: err}
	}
	target := webhook.Endpoint{URL: h.URL, Secrets: h.Secrets, Private: h.Private}
	return webhook.NewClient().Send(ctx, target, "msg_test_"+rand.Text(), now, body)
}

func (s *site) testMail(ctx context.Context, out io.Writer, written string) error {
	if err := s.load(); err != nil {
		return err
	}
	if s.cfg.Email == nil {
		return errors.New("backsoon.yaml has no email: section, so this site sends no mail")
	}
	if err := s.cfg.NeedSecrets(); err != nil {
		return err
	}
	to, err := address.Read(written)
	if err != nil {
		return fmt.Errorf("%q %w", written, err)
	}
	var l *ledger.Ledger // a test leaves no trace: no ledger, no key
	w := s.watcher(l, subscribe.Keys{newKey()}, slog.New(slog.DiscardHandler))
	sender := w.Sender()
	defer sender.Close()
	outcome := w.SendPlain(ctx, to, "[Test] "+s.cfg.Shop.Name+": mail from backsoon works",
		"This is a test. Nothing has changed: no shop is closed or opened by it.\n\n"+
			"It came the way that mail to the subscribers goes, by "+s.cfg.Email.Server+".\n", time.Now())
	if outcome.Err != nil {
		return fmt.Errorf("not sent to %s: %w", written, outcome.Err)
	}
	fmt.Fprintf(out, "sent to %s by %s\n", written, s.cfg.Email.Server)
	return nil
}
