package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/authority"
	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	pages "github.com/backsoon/backsoon/internal/site"
	"github.com/backsoon/backsoon/internal/subscribe"
	"github.com/backsoon/backsoon/notify"
	"github.com/backsoon/backsoon/templates"
)

// site is the site that a command works on, and how its parts are wired.
type site struct {
	dir string // as given by --site
	cfg *config.Config

	leader     string // the place of the watcher that reconciles, as the ledger last said
	acceptLoss bool   // of `watch --accept-loss`
}

// commands lists every command.
func commands(s *site) []*cobra.Command {
	return []*cobra.Command{
		initCommand(s), newCommand(s), closeCommand(s), reopenCommand(s), cancelCommand(s), publishCommand(s),
		checkCommand(s), buildCommand(s), serveCommand(s), planCommand(s), watchCommand(s),
		statusCommand(s), logCommand(s), deliveriesCommand(s), testCommand(s), subscribersCommand(s), bouncesCommand(s), dkimCommand(s), moveLedgerCommand(s),
		demoCommand(),
	}
}

// load reads the settings.
func (s *site) load() (err error) {
	s.cfg, err = config.Load(s.dir)
	return err
}

// public is the folder that the pages go to.
func (s *site) public() string { return filepath.Join(s.cfg.Dir, "public") }

// pages makes the site's pages, with the form for mail where somebody answers it.
func (s *site) pages() *pages.Site {
	made := pages.New(s.cfg, templates.FS(s.cfg.Dir))
	made.Subscribe = s.cfg.Subscribe()
	return made
}

// openLedger opens the site's ledger, or begins it where create is set.
func (s *site) openLedger(ctx context.Context, create bool) (*ledger.Ledger, error) {
	if s.cfg.Database == "" {
		return nil, s.cfg.NeedSecrets()
	}
	return ledger.Open(ctx, s.cfg.Database, create)
}

// place tells this machine and folder from others that share the ledger.
func (s *site) place() string {
	host, err := os.Hostname()
	if err != nil {
		host = "a machine without a name"
	}
	return host + ":" + s.cfg.Dir
}

// view loads the settings and runs f in a reading transaction on the ledger.
func (s *site) view(ctx context.Context, f func(*ledger.Tx) error) error {
	if err := s.load(); err != nil {
		return err
	}
	l, err := s.openLedger(ctx, false)
	if err != nil {
		return err
	}
	defer l.Close()
	return l.View(ctx, f)
}

// update loads the settings and runs f in a writing transaction on the ledger.
func (s *site) update(ctx context.Context, create bool, f func(*ledger.Tx) error) error {
	if err := s.load(); err != nil {
		return err
	}
	l, err := s.openToWrite(ctx, create)
	if err != nil {
		return err
	}
	defer l.Close()
	return l.Update(ctx, f)
}

// watcher wires the watcher's parts; the caller sets what is its own.
func (s *site) watcher(l *ledger.Ledger, keys subscribe.Keys, log *slog.Logger) *notify.Watcher {
	w := &notify.Watcher{
		Config: s.cfg, Ledger: l, Theme: templates.FS(s.cfg.Dir), SiteKey: keys[0], Now: time.Now, Uptime: notify.Uptime, Log: log, Place: s.place(),
		Who:   func(path string, src []byte) ledger.By { return authority.Who(s.cfg.Dir, path, src) },
		Leave: s.links(keys).Leave, LeaveToken: s.links(keys).LeaveToken, Confirm: s.confirmLink(keys),
	}
	if len(s.cfg.Publishers) > 0 {
		w.Judge = func(p notify.Publication, now time.Time) ([]ledger.By, error) {
			return authority.Judge(s.cfg, authority.Publication(p), now)
		}
	}
	return w
}

func (s *site) links(keys subscribe.Keys) subscribe.Links {
	return subscribe.Links{Keys: keys, Public: s.cfg.PublicURL}
}

// keys reads the site's keys, or makes one. They seal message ids and the links
// in mails, and so have to outlive the ledger: they are a file of their own.
func (s *site) keys() (subscribe.Keys, error) {
	keys, err := s.readKeys()
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if err := os.MkdirAll(filepath.Dir(s.keyFile()), 0o700); err != nil {
		return nil, err
	}
	err = createSecret(s.keyFile(), []byte(hex.EncodeToString(newKey())+"\n"))
	if err != nil && !errors.Is(err, fs.ErrExist) { // another process was quicker: that key counts
		return nil, err
	}
	return s.readKeys()
}

func (s *site) keyFile() string { return filepath.Join(s.cfg.Dir, "data", "site.key") }

// readKeys reads a key a line, the newest first.
func (s *site) readKeys() (subscribe.Keys, error) {
	text, err := os.ReadFile(s.keyFile())
	if err != nil {
		return nil, err
	}
	damaged := func(why string) error {
		return fmt.Errorf("%s is damaged: put it back from a backup, or remove it (links in mails already sent then stop working); %s", s.keyFile(), why)
	}
	var keys subscribe.Keys
	for i, line := range strings.Fields(string(text)) {
		key, err := hex.DecodeString(line)
		if err != nil || len(key) != keySize {
			return nil, damaged(fmt.Sprintf("key %d in it is not %d digits from 0 to f", i+1, 2*keySize))
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, damaged("it is empty")
	}
	return keys, nil
}

const keySize = 32 // bytes

func newKey() []byte {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails, as its documentation promises
	return key
}

// storefront gives the storefront with that id.
func (s *site) storefront(id string) (config.Storefront, error) {
	front, ok := s.cfg.Storefront(id)
	if !ok {
		return front, fmt.Errorf("there is no storefront %q; backsoon.yaml has %s", id, locale.English().List(s.cfg.StorefrontIDs()))
	}
	return front, nil
}

// when is a moment on the shop's clocks, as one who reads it at now wants it,
// with the zone: "Sat 2 January, 09:00 (Lisbon)".
func (s *site) when(t, now time.Time) string {
	return s.short(t, now) + " (" + locale.English().Zone(s.cfg.Shop.Location) + ")"
}

// short is when without the zone, for a table.
func (s *site) short(t, now time.Time) string {
	return locale.English().When(t, false, now, s.cfg.Shop.Location)
}

// input is what the watcher knows, as the pages want it.
func input(snap notify.Snapshot) pages.Input {
	known := &pages.Known{
		Storefronts: map[string]pages.Storefront{}, Notices: make(map[string]pages.Facts, len(snap.Notices)),
		Changes: map[string][]pages.Change{}, Reworded: map[string]map[time.Time]time.Time{},
	}
	for id, f := range snap.Storefronts {
		known.Storefronts[id] = pages.Storefront{Revision: f.Revision, Since: f.Since, Message: f.Message}
	}
	for i, n := range snap.Notices {
		facts := factsOf(n, *snap.Rows[i])
		facts.Versions = snap.Versions[i]
		known.Notices[n.Slug] = facts
		if words := snap.Reworded[i]; len(words) > 0 {
			known.Reworded[n.Slug] = words
		}
		if changes := snap.Changes[i]; len(changes) > 1 { // else the notice says it all
			for _, c := range changes {
				known.Changes[n.Slug] = append(known.Changes[n.Slug], pages.Change(c))
			}
		}
	}
	return pages.Input{Notices: snap.Notices, Now: seconds(snap.Now), Known: known}
}

// factsOf is what came of a notice. One that was over before it was carried out
// has no end that anybody saw; one that was accepted in time was missed.
func factsOf(n *notice.Notice, row ledger.Notice) pages.Facts {
	f := pages.Facts{Accepted: seconds(row.First), Revised: seconds(row.Accepted), Closed: seconds(row.Closed)}
	if row.Closed.IsZero() {
		f.Missed = !row.Ended.IsZero() && row.First.Before(n.Closes.Time)
		return f
	}
	f.Reopened = seconds(row.Ended)
	return f
}

// seconds is a time as the pages know it: none of them may seem to lie ahead of
// the others by a fraction.
func seconds(t time.Time) time.Time { return t.Truncate(time.Second) }

// moment is a --now flag.
type moment struct{ time.Time }

func nowFlag(cmd *cobra.Command) *moment {
	m := &moment{time.Now().Truncate(time.Second)}
	cmd.Flags().Var(m, "now", "the `time` to take for the present, as RFC 3339")
	return m
}

func (m *moment) Type() string   { return "time" }
func (m *moment) String() string { return "" }

func (m *moment) Set(text string) (err error) {
	if m.Time, err = time.Parse(time.RFC3339, text); err != nil {
		return fmt.Errorf("%q is not a time; write 2026-12-24T18:00:00Z", text)
	}
	return nil
}

func jsonFlag(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("json", false, "print JSON")
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table writes aligned columns; each cell's text stays on one line.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, heads ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	if len(heads) > 0 {
		t.row(heads...)
	}
	return t
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.Join(strings.Fields(c), " ")
	}
	fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func (t *table) flush() error { return t.w.Flush() }
