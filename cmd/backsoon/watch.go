package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/netutil"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/operator"
	pages "github.com/backsoon/backsoon/internal/site"
	"github.com/backsoon/backsoon/internal/subscribe"
	"github.com/backsoon/backsoon/notify"
	"github.com/backsoon/backsoon/templates"
)

func watchCommand(s *site) *cobra.Command {
	var once, acceptLoss bool
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Carry the notices out: pages, checkouts, mail; for ever",
		Args:  takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.load(); err != nil {
				return err
			}
			footer := newFooter(cmd.ErrOrStderr())
			log := slog.New(slog.NewTextHandler(footer.above(cmd.ErrOrStderr()), nil))
			out := footer.above(cmd.OutOrStdout())
			story := func(e ledger.Entry) { fmt.Fprintln(out, s.line(e)) }
			s.acceptLoss = acceptLoss
			if once {
				return s.watchOnce(cmd.Context(), log, story, footer)
			}
			return s.watch(cmd.Context(), log, story, footer)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "do what is due now, attempt all that is owed once, and exit")
	cmd.Flags().BoolVar(&acceptLoss, "accept-loss", false, "begin a new log where the ledger, or the log's key, that this site went by is lost for good")
	return cmd
}

// watch carries the notices out until the context ends.
func (s *site) watch(ctx context.Context, log *slog.Logger, story func(ledger.Entry), footer *footer) error {
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
	err = s.withWatcher(ctx, log, story, func(w *notify.Watcher, keys subscribe.Keys) error {
		desk := operator.Open(time.Now, debts(w.Ledger))
		w.Work = desk
		c := newCustomerDesk(s, w, keys)
		var writing sync.WaitGroup
		defer writing.Wait()
		writing.Go(func() { c.inbox.Empty(ctx, log, c.write) })
		writing.Go(func() { c.scrub(ctx, log) })
		go serveUntil(ctx, customers, c.handler(log), log)
		go serveUntil(ctx, admin, desk.Handler(), log)
		go underSystemd(ctx, desk)
		defer footer.follow(ctx, w.Ledger)()
		log.Info("watching", "site", s.cfg.Dir, "listen", addressOf(customers), "admin", addressOf(admin))
		return w.Run(ctx)
	})
	if ctx.Err() != nil && errors.Is(err, context.Canceled) { // told to end before it had begun
		return nil
	}
	return err
}

func (s *site) watchOnce(ctx context.Context, log *slog.Logger, story func(ledger.Entry), footer *footer) error {
	if err := s.ready(); err != nil {
		return err
	}
	return s.withWatcher(ctx, log, story, func(w *notify.Watcher, _ subscribe.Keys) error {
		defer footer.follow(ctx, w.Ledger)()
		return w.Once(ctx)
	})
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
	if _, err := s.readKeys(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := s.readLogKey(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.canWrite()
}

// withWatcher opens the ledger, becomes the one watcher of this folder, and runs f.
func (s *site) withWatcher(ctx context.Context, log *slog.Logger, story func(ledger.Entry), f func(*notify.Watcher, subscribe.Keys) error) error {
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
	keys, err := s.keys()
	if err != nil {
		return err
	}
	if err := s.signOrBegin(ctx, l, s.acceptLoss, story); err != nil {
		return err
	}
	for _, p := range s.theme() { // no reason not to watch: the default form serves
		log.Error("mail and pages to subscribe go out in the default form, because the site's own has a mistake", "error", p.String())
	}
	w := s.watcher(l, keys, log)
	published := s.publication(l, log)
	w.Story = story
	w.Build = s.publisher(published)
	w.Checkpoint = func(ctx context.Context) string { return published.newest(ctx).Checkpoint }
	if err := w.Init(ctx); err != nil {
		return err
	}
	defer w.Close()
	return f(w, keys)
}

// publisher gives what brings public/ up to date, each time with no more work
// than what has changed asks for. A theme that has changed counts from the next
// time on.
func (s *site) publisher(published *publication) func(notify.Snapshot) error {
	folder := pages.NewFolder(s.public())
	var maker *pages.Site
	var theme string
	return func(snap notify.Snapshot) error {
		if stamp := templates.Stamp(s.cfg.Dir); maker == nil || stamp != theme {
			maker, theme = s.pages(), stamp
		}
		in := input(snap)
		in.Known.Log = published.newest(context.Background())
		e, err := maker.Edition(in)
		if err != nil {
			return err
		}
		_, err = folder.Update(e)
		return err
	}
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

// What strangers may hold of the machine, each on a connection of his own: one that
// is slow is hung up on, and the others wait until there is room.
const (
	maxConnections = 512
	maxHeaders     = 16 << 10         // bytes
	slowest        = 10 * time.Second // for a whole request, and for its answer
)

// serveUntil serves on the listener, if there is one, until the context ends.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) {
	if l == nil {
		return
	}
	server := &http.Server{
		Handler: h, MaxHeaderBytes: maxHeaders, ReadHeaderTimeout: slowest / 2, ReadTimeout: slowest, WriteTimeout: slowest, IdleTimeout: slowest / 2,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // what strangers do to a connection is no news
	}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(netutil.LimitListener(l, maxConnections)); ctx.Err() == nil {
		log.Error("nobody is answered any more", "address", l.Addr().String(), "error", err)
	}
}
