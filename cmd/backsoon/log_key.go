package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
)

func logKeyCommand(s *site) *cobra.Command {
	return &cobra.Command{
		Use:   "key",
		Short: "Print the key by which others verify the log; hand it out",
		Args:  takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.load(); err != nil {
				return err
			}
			verifier, err := s.logVerifier(cmd.Context())
			if err == nil {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), verifier)
			}
			return err
		},
	}
}

// logVerifier is the verifier key of the log that grows, or that is going to.
func (s *site) logVerifier(ctx context.Context) (string, error) {
	key, err := s.readLogKey()
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("this site has no log key yet; `backsoon watch` makes one")
	}
	if err != nil {
		return "", err
	}
	origin := checkpoint.Origin(s.cfg.Shop.URL)
	l, err := s.openLedger(ctx, false)
	if errors.Is(err, ledger.ErrMissing) {
		return key.Verifier(origin), nil
	}
	if err != nil {
		return "", err
	}
	defer l.Close()
	var logs []ledger.Log
	err = l.View(ctx, func(tx *ledger.Tx) (err error) {
		logs, err = tx.Logs()
		return err
	})
	if err != nil || len(logs) == 0 {
		return key.Verifier(origin), err
	}
	log := logs[len(logs)-1]
	if key.Verifier(log.Origin()) != log.Verifier {
		return "", explainLoss(&ledger.OtherKeyError{Log: log})
	}
	return log.Verifier, nil
}

// logKeyName is where a site has the key of its log.
var logKeyName = filepath.Join("data", "log.key")

// The log's key, its public half, and what was published of the log.
func (s *site) logKeyFile() string    { return filepath.Join(s.cfg.Dir, logKeyName) }
func (s *site) logPubFile() string    { return filepath.Join(s.cfg.Dir, "data", "log.pub") }
func (s *site) publishedFile() string { return filepath.Join(s.cfg.Dir, "data", "log.published") }

// logKey reads the key that signs the log, or makes it.
func (s *site) logKey() (checkpoint.Key, error) {
	key, err := s.readLogKey()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	err = makeLogKey(s.logKeyFile())
	if err != nil && !errors.Is(err, fs.ErrExist) { // another process was quicker: that key counts
		return key, err
	}
	return s.readLogKey()
}

// makeLogKey makes a key that nobody else may read.
func makeLogKey(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return createSecret(path, checkpoint.NewKey().PEM())
}

// readLogKey reads the key. One that others may read is no longer the shop's alone.
func (s *site) readLogKey() (checkpoint.Key, error) {
	f, err := os.Open(s.logKeyFile())
	if err != nil {
		return checkpoint.Key{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return checkpoint.Key{}, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return checkpoint.Key{}, fmt.Errorf("%s may be read by others; run: chmod 600 %s", s.logKeyFile(), s.logKeyFile())
	}
	text, err := io.ReadAll(io.LimitReader(f, 1<<16))
	if err != nil {
		return checkpoint.Key{}, err
	}
	key, err := checkpoint.ParseKey(text)
	if err != nil {
		return key, fmt.Errorf("%s is damaged (%w); put it back from a backup, or, if there is none, move it away and begin a new log: backsoon watch --accept-loss", s.logKeyFile(), err)
	}
	return key, nil
}

// handOut writes the public half of the key where it can be handed out from.
func (s *site) handOut(verifier string) error {
	text := []byte(verifier + "\n")
	if have, err := os.ReadFile(s.logPubFile()); err == nil && string(have) == string(text) {
		return nil
	}
	return overwrite(s.logPubFile(), text, 0o644)
}
