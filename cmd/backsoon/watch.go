package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/operator"
	pages "github.com/backsoon/backsoon/internal/site"
	"github.com/backsoon/backsoon/internal/subscribe"
	"github.com/backsoon/backsoon/notify"
	"github.com/backsoon/backsoon/templates"
)

func watchCommand(s *site) *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Carry the notices out: pages, checkouts, mail; for ever",
		Args:  takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.load(); err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			story := func(e ledger.Entry) { fmt.Fprintln(cmd.OutOrStdout(), s.line(e)) }
			if once {
				return s.watchOnce(cmd.Context(), log, story)
			}
			return s.watch(cmd.Context(), log, story)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "do what is due now, attempt all that is owed once, and exit")
	return cmd
}

// watch carries the notices out until the context ends.
func (s *site) watch(ctx context.Context, log *slog.Logger, story func(ledger.Entry)) error {
	if err := s.ready(); err != nil {
		return err
	}
	customers, err := listen(s.cfg.Listen)
	if err != nil {
		return err
	}
	admin, err := listen(s.cfg.Admin)
	if err != nil {
		return err
	}
	return s.withWatcher(ctx, log, story, func(w *notify.Watcher, key []byte) error {
		desk := operator.Open(time.Now, debts(w.Ledger))
		w.Work = desk
		go serveUntil(ctx, customers, s.customers(w, key, log), log)
		go serveUntil(ctx, admin, desk.Handler(), log)
		go underSystemd(ctx, desk)
		log.Info("watching", "site", s.cfg.Dir, "listen", addressOf(customers), "admin", addressOf(admin))
		return w.Run(ctx)
	})
}

func (s *site) watchOnce(ctx context.Context, log *slog.Logger, story func(ledger.Entry)) error {
	if err := s.ready(); err != nil {
		return err
	}
	return s.withWatcher(ctx, log, story, func(w *notify.Watcher, _ []byte) error { return w.Once(ctx) })
}

// ready finds what would keep a watcher from working, before it changes
// anything.
func (s *site) ready() error {
	if err := s.cfg.NeedSecrets(); err != nil {
		return err
	}
	if pid, held := ledger.Holder(s.cfg.Lock()); held { // before its port is found to be in use
		return &ledger.HeldError{PID: pid}
	}
	if _, err := s.readKey(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.canWrite()
}

// withWatcher opens the ledger, becomes the one watcher of this folder, and runs f.
func (s *site) withWatcher(ctx context.Context, log *slog.Logger, story func(ledger.Entry), f func(*notify.Watcher, []byte) error) error {
	l, err := s.openLedger(ctx, true)
	if err != nil {
		return err
	}
	defer l.Close()
	release, err := ledger.Lock(s.cfg.Lock())
	if err != nil {
		return err
	}
	defer release()
	key, err := s.key()
	if err != nil {
		return err
	}
	w := s.watcher(l, key, log)
	w.Story = story
	w.Build = s.publisher()
	if err := w.Init(ctx); err != nil {
		return err
	}
	defer w.Close()
	return f(w, key)
}

// publisher gives what brings public/ up to date, each time with no more work
// than what has changed asks for. A theme that has changed counts from the next
// time on.
func (s *site) publisher() func(notify.Snapshot) error {
	folder := pages.NewFolder(s.public())
	var maker *pages.Site
	var theme string
	return func(snap notify.Snapshot) error {
		if stamp := templates.Stamp(s.cfg.Dir); maker == nil || stamp != theme {
			maker, theme = pages.New(s.cfg, templates.FS(s.cfg.Dir)), stamp
		}
		e, err := maker.Edition(input(snap))
		if err != nil {
			return err
		}
		_, err = folder.Update(e)
		return err
	}
}

// customers serves what customers reach: leaving the list.
func (s *site) customers(w *notify.Watcher, key []byte, log *slog.Logger) http.Handler {
	return &subscribe.Handler{
		Links: s.links(key), Theme: templates.FS(s.cfg.Dir), Shop: s.cfg.Shop.Name, Voices: s.voices(log),
		Proxies: s.cfg.TrustedProxies, Log: log,
		Remove: func(ctx context.Context, address string) error {
			return w.Ledger.Update(ctx, func(tx *ledger.Tx) error {
				_, err := leave(tx, address)
				return err
			})
		},
	}
}

// voices are the languages that the site's mails may be in, the notices' own first.
// A mistake in the site's own words is no reason not to watch: the default ones
// serve.
func (s *site) voices(log *slog.Logger) []subscribe.Voice {
	var voices []subscribe.Voice
	for _, tag := range s.cfg.Surroundings().Languages {
		words, err := locale.Load(templates.FS(s.cfg.Dir), tag)
		if err != nil {
			log.Error("the default words serve, because the site's own have a mistake", "error", err)
			words = locale.BuiltIn(tag)
		}
		status := s.cfg.Shop.URL // where the settings leave it open, there may be no pages in it
		if slices.Contains(s.cfg.Languages, tag) {
			status = s.cfg.Home(tag)
		}
		voices = append(voices, subscribe.Voice{Language: words, Status: status.String()})
	}
	return voices
}

// debts asks the ledger what the operator wants to know.
func debts(l *ledger.Ledger) func(context.Context) (operator.Owed, error) {
	return func(ctx context.Context) (o operator.Owed, err error) {
		err = l.View(ctx, func(tx *ledger.Tx) error {
			owed, err := tx.Owed()
			o = operator.Owed{Webhooks: owed.Webhooks, Mail: owed.Mail, SinceWebhooks: owed.SinceWebhooks, SinceMail: owed.SinceMail}
			return err
		})
		return o, err
	}
}

// listen opens the address before anything else is done, since another program
// may have it. An address that the settings leave out gives no listener.
func listen(address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s can't be listened on: %w", address, err)
	}
	return l, nil
}

// addressOf is where a listener, if there is one, really is: the system chooses
// the port where the settings say 0.
func addressOf(l net.Listener) string {
	if l == nil {
		return "none"
	}
	return l.Addr().String()
}

// serveUntil serves on the listener, if there is one, until the context ends.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) {
	if l == nil {
		return
	}
	server := &http.Server{Handler: h, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(l); ctx.Err() == nil {
		log.Error("nobody is answered any more", "address", l.Addr().String(), "error", err)
	}
}
