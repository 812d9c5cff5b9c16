package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
)

// settleEdits is how long the files must be quiet before they are read: editors
// write in several steps.
const settleEdits = 50 * time.Millisecond

func serveCommand(s *site) *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Preview the pages, drafts too, and reload them on every save",
		Long: "Preview the pages in a browser, drafts too. They reload by themselves whenever a notice, a template or\n" +
			"the settings are saved, and list the mistakes while there are any. public/ isn't touched.",
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.serve(cmd.Context(), cmd.OutOrStdout(), address)
		},
	}
	cmd.Flags().StringVar(&address, "addr", "127.0.0.1:8000", "the `host:port` to listen on; port 0 takes any that is free")
	return cmd
}

func (s *site) serve(ctx context.Context, out io.Writer, address string) error {
	if _, err := os.Stat(filepath.Join(s.dir, config.File)); errors.Is(err, fs.ErrNotExist) {
		return s.load() // which words it
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return usagef("--addr: %q is not a host and port; write 127.0.0.1:8000", address)
	}
	listener, err := listen(address)
	if err != nil {
		return fmt.Errorf("%w; take any free port with --addr 127.0.0.1:0", err)
	}
	defer listener.Close()
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("the site's folder can't be watched: %w", err)
	}
	defer events.Close()
	p := newPreview(s.dir, baseOf(listener))
	s.follow(events)
	p.begin(time.Now())
	go s.rebuild(ctx, p, events)
	fmt.Fprintf(out, "%s shows the site, drafts too, and follows every save; Ctrl-C ends it.\n", p.base)
	return servePreview(ctx, listener, p)
}

// servePreview serves until the context ends; then it also ends the answers
// that would go on for ever.
func servePreview(ctx context.Context, l net.Listener, p *preview) error {
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// rebuild follows the files when they have changed and come to rest, and the
// clock every minute, since closures begin and end by themselves.
func (s *site) rebuild(ctx context.Context, p *preview, events *fsnotify.Watcher) {
	quiet := time.NewTimer(time.Hour)
	quiet.Stop()
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	saved, anew := map[string]bool{}, false
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-events.Events:
			if name, ok := s.noticeFile(event.Name); ok {
				saved[name] = true
			} else {
				anew = true
			}
			quiet.Reset(settleEdits)
		case <-events.Errors: // events were lost
			anew = true
			quiet.Reset(settleEdits)
		case <-quiet.C:
			if s.follow(events); anew {
				p.begin(time.Now())
			} else {
				p.follow(time.Now(), slices.Collect(maps.Keys(saved))...)
			}
			saved, anew = map[string]bool{}, false
		case <-minute.C:
			p.follow(time.Now())
		}
	}
}

// noticeFile tells whether the file at path is one of the notices' folder, and
// its name there: nothing but pages about it depends on it.
func (s *site) noticeFile(path string) (name string, ok bool) {
	name = filepath.Base(path)
	return name, path == filepath.Join(s.dir, notice.Folder, name)
}

// follow watches every folder whose files the pages are made of: those that
// came since the last time, too. One that can't be watched is looked at every
// minute.
func (s *site) follow(events *fsnotify.Watcher) {
	_ = events.Add(s.dir)
	for _, top := range []string{"content", "templates"} {
		_ = filepath.WalkDir(filepath.Join(s.dir, top), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				_ = events.Add(path)
			}
			return nil
		})
	}
}
