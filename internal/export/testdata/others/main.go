// Command others has programs that know nothing of ours verify what ours has
// written: Tessera's fsck a log's tiles, transparency-dev's own packages a proof.
//
//	others fsck DIR VERIFIERKEY
//	others proof FILE VERIFIERKEY
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/transparency-dev/formats/log"
	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	verify := map[string]func(path string, v note.Verifier) error{"fsck": tiles, "proof": inclusion}[os.Args[1]]
	v, err := note.NewVerifier(os.Args[3])
	if err == nil {
		err = verify(os.Args[2], v)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func tiles(dir string, v note.Verifier) error {
	const workers = 8 // with one alone, which ends at the first fault, Check would wait for ever
	return fsck.New(v.Name(), v, client.FileFetcher{Root: dir}, leaves, fsck.Opts{N: workers}).Check(context.Background())
}

func leaves(bundle []byte) (hashes [][]byte, err error) {
	var entries api.EntryBundle
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	for _, e := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(e))
	}
	return hashes, nil
}

func inclusion(file string, v note.Verifier) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var p tlogproof.TLogProof
	if err := p.Unmarshal(text); err != nil {
		return err
	}
	c, _, _, err := log.ParseCheckpoint(p.Checkpoint, v.Name(), v)
	if err != nil {
		return err
	}
	path := make([][]byte, len(p.Hashes))
	for i := range p.Hashes {
		path[i] = p.Hashes[i][:]
	}
	return proof.VerifyInclusion(rfc6962.DefaultHasher, p.Index, c.Size, rfc6962.DefaultHasher.HashLeaf(p.ExtraData), path, c.Hash)
}
