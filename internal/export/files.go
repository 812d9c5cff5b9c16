package export

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/backsoon/backsoon/internal/ledger"
)

// tileHeight is that of https://c2sp.org/tlog-tiles: 256 hashes or entries a tile.
const tileHeight = 8

// page is how many entries are read at once.
const page = 1000

// fill writes what is new of the log into the folder.
func (f *folder) fill(dir string) error {
	for _, t := range tlog.NewTiles(tileHeight, f.had, f.log.Size) {
		if err := f.tile(dir, t); err != nil {
			return err
		}
	}
	if err := f.list(filepath.Join(dir, "log.jsonl"), lines); err != nil {
		return err
	}
	if err := f.list(filepath.Join(dir, "log.csv"), table); err != nil {
		return err
	}
	return put(filepath.Join(dir, checkpointFile), func(w io.Writer) error {
		_, err := io.WriteString(w, f.log.Checkpoint)
		return err
	})
}

// tile writes a tile of the tree, and beside one of leaves the entries.
func (f *folder) tile(dir string, t tlog.Tile) error {
	hashes, err := tlog.ReadTileData(t, f.tx.Tree(f.log.Number))
	if err != nil {
		return err
	}
	if t.L == 0 {
		if err := f.bundle(dir, t, hashes); err != nil {
			return err
		}
	}
	return putBytes(filepath.Join(dir, pathOf(t)), hashes)
}

// pathOf is the tile's path, which here doesn't tell of its height.
func pathOf(t tlog.Tile) string {
	return strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
}

// bundle writes the entries whose hashes are in a tile: each after its length, in 16
// bits, the higher ones first.
func (f *folder) bundle(dir string, t tlog.Tile, hashes []byte) error {
	records, err := f.tx.Records(f.log.First+t.N<<tileHeight, t.W)
	if err != nil {
		return err
	}
	if len(records) != t.W {
		return errors.New("entries of the log are missing; `backsoon log verify` says which")
	}
	var b []byte
	for i, r := range records {
		hash := tlog.RecordHash([]byte(r.Entry))
		if !bytes.Equal(hash[:], hashes[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
			return fmt.Errorf("entry %d is not what was signed; `backsoon log verify` says more", r.Index)
		}
		if len(r.Entry) > 1<<16-1 {
			return fmt.Errorf("entry %d has %d bytes, and tiles have room for 65535", r.Index, len(r.Entry))
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(r.Entry)))
		b = append(b, r.Entry...)
	}
	path := strings.Replace(pathOf(t), "tile/0/", "tile/entries/", 1)
	return putBytes(filepath.Join(dir, path), b)
}

// list writes all entries into one file.
func (f *folder) list(path string, as func(io.Writer) (write func(ledger.Record) error, end func() error)) error {
	return put(path, func(w io.Writer) error {
		write, end := as(w)
		for next, last := f.log.First, f.log.First+f.log.Size; next < last; next += page {
			records, err := f.tx.Records(next, int(min(page, last-next)))
			if err != nil {
				return err
			}
			for _, r := range records {
				if err := write(r); err != nil {
					return err
				}
			}
		}
		return end()
	})
}

// lines are the entries as JSON lines (https://jsonlines.org).
func lines(w io.Writer) (write func(ledger.Record) error, end func() error) {
	return func(r ledger.Record) error {
		_, err := io.WriteString(w, r.Entry+"\n")
		return err
	}, func() error { return nil }
}

// holdsOthers tells whether the folder has logs in it beside the first.
func holdsOthers(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) > 0
}

func putBytes(path string, content []byte) error {
	return put(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// put writes a file, whole or not at all, and to last.
func put(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".export-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // no longer there, once all went well
	buffered := bufio.NewWriter(file)
	err = errors.Join(write(buffered), buffered.Flush(), file.Chmod(0o644), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
