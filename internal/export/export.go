// Package export writes the audit log as files, for others to read and to verify.
//
// A log's folder has
//
//	log.jsonl    the entries, one a line, to the byte as they are in the tree
//	log.csv      the same for a spreadsheet
//	checkpoint   the newest checkpoint
//	tile/        the tree's hashes and the entries, as https://c2sp.org/tlog-tiles has them
//
// The shop's first log has the folder itself; the n-th, which begins where entries of
// the one before were lost, has log-n in it.
package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/backsoon/backsoon/internal/checkpoint"
	"github.com/backsoon/backsoon/internal/ledger"
)

// Written is what was written of one log.
type Written struct {
	Dir    string
	Origin string
	Size   int64 // entries that are there now
	New    int64 // of these, those that were not there before
}

// Write writes the ledger's logs into the folder, or adds to an earlier export there
// what has come since. Where the logs don't go on from that export, or the folder has
// anything else in it, nothing is written.
func Write(tx *ledger.Tx, dir string) ([]Written, error) {
	logs, err := tx.Logs()
	if err != nil {
		return nil, err
	}
	if err := mayWrite(dir); err != nil {
		return nil, err
	}
	var folders []folder
	for i, log := range logs {
		f := folder{tx: tx, log: log, dir: dirOf(dir, log)}
		if log.Size == 0 {
			continue
		}
		if err := f.goesOn(logs[i+1:]); err != nil {
			return nil, err
		}
		folders = append(folders, f)
	}
	if len(folders) == 0 {
		return nil, errors.New("there is nothing in the log yet that was signed")
	}
	var all []Written
	for _, f := range folders {
		w, err := f.write()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.dir, err)
		}
		all = append(all, w)
	}
	return all, nil
}

func dirOf(dir string, log ledger.Log) string {
	if log.Number == 1 {
		return dir
	}
	return filepath.Join(dir, fmt.Sprint("log-", log.Number))
}

const checkpointFile = "checkpoint"

// mayWrite refuses a folder that has anything in it but an export.
func mayWrite(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	checkpoints, err := filepath.Glob(filepath.Join(dir, "log-*", checkpointFile))
	if err != nil {
		return err
	}
	for _, name := range append(checkpoints, filepath.Join(dir, checkpointFile)) {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if _, err := checkpoint.Read(string(text)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s is not empty, and what is in it is no export of the log: name a new folder. Nothing was written", dir)
}

// folder is one log's.
type folder struct {
	tx     *ledger.Tx
	log    ledger.Log
	dir    string
	had    int64 // entries that were there before
	fresh  bool  // there is no export yet
	beyond bool  // the export has more than the ledger, which has lost it
}

// goesOn verifies that the log goes on from what was exported before. later are the
// logs after it: what one of them says was lost is not asked for.
func (f *folder) goesOn(later []ledger.Log) error {
	text, err := os.ReadFile(filepath.Join(f.dir, checkpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		f.fresh = true
		return nil
	}
	if err != nil {
		return err
	}
	before, err := checkpoint.Open(string(text), f.log.Verifier)
	if err != nil {
		return fmt.Errorf("%s has another log, or was changed: its checkpoint %w. Nothing was written", f.dir, err)
	}
	f.had = before.Size
	if before.Size > f.log.Size {
		if f.beyond = len(later) > 0; f.beyond {
			return nil
		}
		return fmt.Errorf("%s has %d entries of this log, and the ledger has %d: the ledger was put back from an older backup. Nothing was written", f.dir, before.Size, f.log.Size)
	}
	root, err := tlog.TreeHash(before.Size, f.tx.Tree(f.log.Number))
	if err == nil && root != before.Root {
		err = fmt.Errorf("the log was changed since it was exported to %s: its first %d entries are others than there; `backsoon log verify --checkpoint %s` says more. Nothing was written",
			f.dir, before.Size, filepath.Join(f.dir, checkpointFile))
	}
	return err
}

// write brings the folder up to date, its checkpoint last. A fresh one appears whole.
// The lists are written whole even where nothing is new: somebody may have saved
// log.csv from a spreadsheet.
func (f *folder) write() (Written, error) {
	w := Written{Dir: f.dir, Origin: f.log.Origin(), Size: max(f.log.Size, f.had), New: max(0, f.log.Size-f.had)}
	if f.beyond {
		return w, nil
	}
	if !f.fresh || f.log.Number == 1 && holdsOthers(f.dir) {
		return w, f.fill(f.dir)
	}
	parent := filepath.Dir(filepath.Clean(f.dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return w, err
	}
	staging, err := os.MkdirTemp(parent, ".export-")
	if err != nil {
		return w, err
	}
	defer os.RemoveAll(staging)
	if err := errors.Join(os.Chmod(staging, 0o755), f.fill(staging)); err != nil {
		return w, err
	}
	if err := os.Remove(f.dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // it is empty
		return w, err
	}
	return w, os.Rename(staging, f.dir)
}
