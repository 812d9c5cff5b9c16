package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/demo"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/notify/webhook"
)

func demoCommand() *cobra.Command {
	var scripted bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try it all on this machine: a sample shop with its checkout, and a mailbox",
		Long: "Try it all on this machine, with nothing to install: the watcher on a copy of the sample shop, a small\n" +
			"online shop whose checkout obeys it, a mailbox that shows every mail, and one page to see and do it\n" +
			"all on. Nothing leaves the machine.",
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			d, err := newDemonstration(cmd.Context(), &lines{out: cmd.OutOrStdout()}, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.end()) }()
			if scripted {
				return d.script(cmd.Context())
			}
			d.introduce()
			return d.watch(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&scripted, "script", false, "close, update and reopen by itself, check what comes of it, and exit")
	return cmd
}

// demonstration is the sample shop with the world around it: a shop to order
// from, a mailbox to read, and a status page to look at. What closes and mails is
// the product's own watcher.
type demonstration struct {
	site    *site // a scratch copy
	at      addresses
	shop    *demo.Shop
	mailbox *demo.Mailbox
	screen  *demo.Screen
	out     *lines
	errors  io.Writer
	leave   context.CancelFunc // ends the servers
}

// newDemonstration prepares the scratch copy and starts the world around it.
func newDemonstration(ctx context.Context, out *lines, errs io.Writer) (d *demonstration, err error) {
	l, err := listenForDemo()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "backsoon-demo-")
	if err != nil {
		l.close()
		return nil, err
	}
	d = &demonstration{site: &site{dir: dir}, at: l.addresses(), mailbox: demo.NewMailbox(), out: out, errors: errs}
	ctx, d.leave = context.WithCancel(context.WithoutCancel(ctx)) // the watcher's last mails have to arrive
	if err := d.furnish(ctx); err != nil {
		l.close()
		return nil, errors.Join(err, d.end())
	}
	go serveUntil(ctx, l.screen, d.screen.Handler(), d.log())
	go serveUntil(ctx, l.shop, d.shop.Handler(), d.log())
	go serveUntil(ctx, l.status, statusPages(d.site.public(), d.at.status), d.log())
	go serveUntil(ctx, l.mailbox, d.mailbox.Handler(), d.log())
	go d.mailbox.ServeSMTP(l.smtp)
	l.customers.Close() // it is the watcher that listens there
	l.operator.Close()
	return d, nil
}

// furnish puts the sample shop into the scratch folder, and the shop beside it.
func (d *demonstration) furnish(ctx context.Context) error {
	secret := webhook.NewSecret()
	if err := d.site.copySample(d.at, secret, time.Now()); err != nil {
		return err
	}
	csv := filepath.Join(d.site.dir, "subscribers.csv")
	if err := os.WriteFile(csv, []byte("email\n"+strings.Join(demoSubscribers, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	if err := d.site.importSubscribers(ctx, io.Discard, io.Discard, csv); err != nil {
		return err
	}
	shop, err := demo.NewShop(d.site.cfg.Shop.Name, []string{secret}, filepath.Join(d.site.dir, "data", "shop.json"))
	if err != nil {
		return err
	}
	shop.Location = d.site.cfg.Shop.Location
	d.shop, d.screen = shop, d.newScreen(shop)
	return nil
}

// watch is `backsoon watch` on the scratch copy, until the context ends.
func (d *demonstration) watch(ctx context.Context) error {
	err := d.site.watch(ctx, d.log(), func(e ledger.Entry) {
		d.out.print(d.site.line(e))
		d.screen.Log(d.site.screenLine(e))
	}, nil)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) { // it was ended before it had begun
		return nil
	}
	return err
}

// log is for what went wrong alone: the story tells of refusals, too.
func (d *demonstration) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(d.errors, &slog.HandlerOptions{Level: slog.LevelError}))
}

// end stops the servers and removes the scratch copy.
func (d *demonstration) end() error {
	d.leave()
	d.mailbox.Close()
	err := os.RemoveAll(d.site.dir)
	if err == nil {
		d.out.print("Removed " + d.site.dir)
	}
	return err
}

func (d *demonstration) introduce() {
	command := invocation() + " --site " + d.site.dir
	d.out.print(fmt.Sprintf(`Open %s in a browser: the notice to edit, and beside it all that follows.

%s is open, with everything on this machine:

  The shop         %-25s put the book into the basket, and pay
  The status page  %-25s open or closed, and until when
  The mailbox      %-25s what %d subscribers and the owner get
  The notices      %s

Close the shop: save a notice in that folder, or run in another terminal

  %s close "Burst pipe"
  %s reopen burst-pipe

Mail goes out %s after the last change. Ctrl-C ends the demo and removes the folder. What happens:
`, d.at.screen, d.site.cfg.Shop.Name, d.at.shop, d.at.status, d.at.mailbox, len(demoSubscribers),
		filepath.Join(d.site.dir, notice.Folder), command, command, d.site.cfg.Email.Settle))
}

// invocation is how the reader calls this program: `go run` leaves it in a
// temporary folder of its own.
func invocation() string {
	if strings.HasPrefix(os.Args[0], filepath.Join(os.TempDir(), "go-build")) {
		return "go run ./cmd/backsoon"
	}
	return os.Args[0]
}

// lines prints whole lines, from several goroutines.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) print(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.out, line)
}
