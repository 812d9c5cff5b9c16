package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// The audit log is a Merkle tree (RFC 6962, section 2.1), whose leaves are the
// entries' JSON to the byte. A transaction that appends to it lets the tree grow,
// and has the root signed, before it is written: no entry is ever there without a
// checkpoint that covers it.
//
// A log ends where entries were lost, and the next one begins: a tree of its own,
// under an origin of its own, so that no two trees ever have the same name. The
// entries are numbered on across all of them.

// Notary signs what a log has come to.
type Notary interface {
	// Verifier is the key by which that can be verified (https://c2sp.org/signed-note).
	// Its name is the log's origin.
	Verifier(origin string) string
	// Sign gives a checkpoint (https://c2sp.org/tlog-checkpoint).
	Sign(origin string, size int64, root tlog.Hash) (signed string, err error)
}

// Log is one of the ledger's logs.
type Log struct {
	Number      int64 // 1 is the shop's first
	First       int64 // the index of its first entry
	Verifier    string
	Size        int64  // how many entries its tree has
	Checkpoint  string // the newest; empty: nothing was ever written
	checkpoints int64  // how many there are
}

// Origin is the log's name in its checkpoints.
func (l Log) Origin() string {
	origin, _, _ := strings.Cut(l.Verifier, "+")
	return origin
}

// OtherKeyError refuses to sign a log with another key than it has been.
type OtherKeyError struct{ Log Log }

func (e *OtherKeyError) Error() string {
	return "the log " + e.Log.Origin() + " is signed with another key, " + e.Log.Verifier
}

// errUnsigned is a mistake of the program: it writes to the log and hasn't called
// SignWith.
var errUnsigned = errors.New("ledger: nobody signs the log")

// SignWith has the notary sign what is written to the log from now on; without one
// nothing can be. It is to be called once, before that. In a ledger that has no log
// yet it begins the one of that origin, with the entries that there are. A log that
// another key has signed is an *OtherKeyError.
func (l *Ledger) SignWith(ctx context.Context, origin string, n Notary) error {
	l.notary = n
	begun := false
	err := l.View(ctx, func(t *Tx) error {
		log, err := t.log()
		if begun = err == nil && log.Number > 0; begun {
			err = log.signedBy(n)
		}
		return err
	})
	if err != nil || begun {
		return err
	}
	return l.Update(ctx, func(t *Tx) error {
		log, err := t.log()
		if err != nil {
			return err
		}
		if log.Number > 0 { // another process was quicker
			return log.signedBy(n)
		}
		if err := t.addLog(Log{Number: 1, Verifier: n.Verifier(origin)}); err != nil {
			return err
		}
		return t.plant()
	})
}

func (l Log) signedBy(n Notary) error {
	if n.Verifier(l.Origin()) != l.Verifier {
		return &OtherKeyError{l}
	}
	return nil
}

// BeginLog begins a new log, of that number and origin, before anything else is
// written in the transaction. Its first entry has to say why. SignWith has to follow.
func (t *Tx) BeginLog(number int64, origin string, n Notary) error {
	next, err := t.nextIndex()
	if err != nil {
		return err
	}
	t.notary = n
	return t.addLog(Log{Number: number, First: next, Verifier: n.Verifier(origin)})
}

func (t *Tx) addLog(l Log) error {
	_, err := t.exec("INSERT INTO logs (number, first, verifier) VALUES ($1, $2, $3)", l.Number, l.First, l.Verifier)
	return err
}

// plant makes leaves of the entries that were written before there were trees.
func (t *Tx) plant() error {
	for {
		const page = 1000
		records, err := t.Records(int64(len(t.leaves)), page)
		if err != nil {
			return err
		}
		for _, r := range records {
			t.leaves = append(t.leaves, tlog.RecordHash([]byte(r.Entry)))
		}
		if len(records) < page {
			return nil
		}
	}
}

// Logs gives every log, the first one first.
func (t *Tx) Logs() ([]Log, error) { return t.logs("ORDER BY l.number") }

// log is the one that grows; the zero Log before there is one.
func (t *Tx) log() (Log, error) {
	last, err := t.logs("ORDER BY l.number DESC LIMIT 1")
	if err != nil || len(last) == 0 {
		return Log{}, err
	}
	return last[0], nil
}

func (t *Tx) logs(which string) ([]Log, error) {
	return rows(t, func(s scanner) (l Log, err error) {
		err = s.Scan(&l.Number, &l.First, &l.Verifier, &l.Size, &l.Checkpoint, &l.checkpoints)
		return l, err
	}, `SELECT l.number, l.first, l.verifier, COALESCE(c.size, 0), COALESCE(c.note, ''), COALESCE(c.number + 1, 0)
		FROM logs l LEFT JOIN checkpoints c ON c.log = l.number AND c.number = (SELECT MAX(number) FROM checkpoints WHERE log = l.number) `+which)
}

// Checkpoint gives the newest checkpoint, and the key by which it can be verified.
// Both are empty before there is one.
func (t *Tx) Checkpoint() (signed, verifier string, err error) {
	log, err := t.log()
	return log.Checkpoint, log.Verifier, err
}

// BegunAnew is when the log that grows began in the place of one of which entries
// were lost; zero: it is the shop's first.
func (t *Tx) BegunAnew() (time.Time, error) {
	log, err := t.log()
	if err != nil || log.Number <= 1 {
		return time.Time{}, err
	}
	first, err := t.Records(log.First, 1)
	if err != nil || len(first) == 0 {
		return time.Time{}, err
	}
	return first[0].Time, nil
}

// seal lets the tree grow by what the transaction has written, and signs it.
func (t *Tx) seal() error {
	if len(t.leaves) == 0 {
		return nil
	}
	log, err := t.log()
	if err != nil {
		return err
	}
	if grown := log.First + log.Size; t.first != grown {
		return fmt.Errorf("ledger: the log has %d entries, and its tree %d: somebody has changed it; `backsoon log verify` says where", t.first, grown)
	}
	if err := log.signedBy(t.notary); err != nil {
		return err
	}
	root, err := t.grow(&log)
	if err != nil {
		return err
	}
	signed, err := t.notary.Sign(log.Origin(), log.Size, root)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	_, err = t.exec("INSERT INTO checkpoints (log, number, size, note) VALUES ($1, $2, $3, $4)", log.Number, log.checkpoints, log.Size, signed)
	return err
}

// grow adds the leaves to the log's tree and gives its new root.
func (t *Tx) grow(log *Log) (root tlog.Hash, err error) {
	tree, err := t.edge(*log)
	if err != nil {
		return root, err
	}
	var lines [][]any
	for _, leaf := range t.leaves {
		hashes, err := tlog.StoredHashesForRecordHash(log.Size, leaf, tree)
		if err != nil {
			return root, fmt.Errorf("ledger: %w", err)
		}
		at := tlog.StoredHashIndex(0, log.Size)
		for i, h := range hashes {
			tree[at+int64(i)] = h
			lines = append(lines, []any{log.Number, at + int64(i), slices.Clone(h[:])})
		}
		log.Size++
	}
	if _, err := t.insert("hashes", []string{"log", "idx", "hash"}, lines, ""); err != nil {
		return root, err
	}
	root, err = tlog.TreeHash(log.Size, tree)
	return root, err
}

// subtrees are some of a tree's hashes, by their place in it.
type subtrees map[int64]tlog.Hash

// ReadHashes implements tlog.HashReader.
func (s subtrees) ReadHashes(places []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(places))
	for i, place := range places {
		h, ok := s[place]
		if !ok {
			return nil, fmt.Errorf("hash %d of the log's tree is missing; `backsoon log verify` says more", place)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// edge reads the roots of the whole subtrees that a log consists of: all that it
// takes to let it grow.
func (t *Tx) edge(log Log) (subtrees, error) {
	var places []int64
	for level := 0; log.Size>>level > 0; level++ {
		if n := log.Size >> level; n%2 == 1 {
			places = append(places, tlog.StoredHashIndex(level, n-1))
		}
	}
	return t.subtrees(log.Number, places)
}

func (t *Tx) subtrees(log int64, places []int64) (subtrees, error) {
	found := subtrees{}
	for some := range slices.Chunk(places, insertMost) {
		args, params := []any{log}, make([]string, len(some))
		for i, place := range some {
			args = append(args, place)
			params[i] = fmt.Sprintf("$%d", i+2)
		}
		stored, err := rows(t, scanHash, "SELECT idx, hash FROM hashes WHERE log = $1 AND idx IN ("+strings.Join(params, ", ")+")", args...)
		if err != nil {
			return nil, err
		}
		for _, h := range stored {
			found[h.Index] = h.Hash
		}
	}
	return found, nil
}

// StoredHash is one hash of a log's tree; see tlog.StoredHashIndex.
type StoredHash struct {
	Index int64
	Hash  tlog.Hash
}

func scanHash(s scanner) (h StoredHash, err error) {
	var hash []byte
	if err = s.Scan(&h.Index, &hash); err == nil && copy(h.Hash[:], hash) != tlog.HashSize {
		err = fmt.Errorf("hash %d of the log's tree is damaged", h.Index)
	}
	return h, err
}

// Tree reads the hashes of a log's tree.
func (t *Tx) Tree(log int64) tlog.HashReader {
	return tlog.HashReaderFunc(func(places []int64) ([]tlog.Hash, error) {
		found, err := t.subtrees(log, places)
		if err != nil {
			return nil, err
		}
		return found.ReadHashes(places)
	})
}

// StoredHashes gives the hashes of a log's tree from one on, at most limit.
func (t *Tx) StoredHashes(log, from int64, limit int) ([]StoredHash, error) {
	return rows(t, scanHash, "SELECT idx, hash FROM hashes WHERE log = $1 AND idx >= $2 ORDER BY idx LIMIT $3", log, from, limit)
}

// KeptCheckpoint is a checkpoint as the ledger has it.
type KeptCheckpoint struct {
	Number int64 // in its log, from 0
	Size   int64
	Signed string
}

// Checkpoints gives those of a log from one on, at most limit.
func (t *Tx) Checkpoints(log, from int64, limit int) ([]KeptCheckpoint, error) {
	return rows(t, func(s scanner) (c KeptCheckpoint, err error) {
		err = s.Scan(&c.Number, &c.Size, &c.Signed)
		return c, err
	}, "SELECT number, size, note FROM checkpoints WHERE log = $1 AND number >= $2 ORDER BY number LIMIT $3", log, from, limit)
}
