package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/checkout"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

// Publication is what somebody wants to count, as plain data: the bytes of a file,
// the signatures beside it, the commit that it is from, and what they would change. Next was parsed from the very
// same bytes.
type Publication struct {
	Path          string // relative to the site
	Source        []byte
	Signatures    [][]byte         // in the order of notice.SignatureNames; nil: there is none
	Origin        *checkout.Origin // nil: it is in no commit that counts
	InForce, Next *notice.Notice   // InForce nil: a new notice; the same one twice: words alone, of a translation
}

// authorise asks whether the candidate may make next of the notice in force, and
// notes whose it is; nil: it may.
func (w *Watcher) authorise(c *candidate, inForce, next *notice.Notice, now time.Time) strictyaml.Problems {
	if w.replaced {
		return strictyaml.Problems{{File: c.path, Text: replacedProblem}}
	}
	if w.Judge == nil {
		return nil
	}
	by, err := w.Judge(Publication{c.path, c.src, c.signatures, c.origin, inForce, next}, now)
	if len(by) > 0 {
		c.by, c.also = by[0], by[1:]
	}
	if err != nil {
		return strictyaml.Problems{{File: c.path, Text: err.Error()}}
	}
	return nil
}

// replayed tells whether the candidate's content counted once already, under
// whatever name: its signature is as good as it was, and nobody knows who put it
// here. Of a commit that is known: it comes on top of the one that counted before.
func (w *Watcher) replayed(tx *ledger.Tx, c *candidate, refusals map[string]ledger.Refusal) (strictyaml.Problems, error) {
	owner, err := tx.ContentOwner(c.sha)
	switch {
	case err != nil || owner == "":
		return nil, err
	case owner == c.slug && c.origin == nil && w.isStale(*c, refusals):
		return staleProblem(c.path), nil
	case owner != c.slug && (w.Judge != nil || c.parsed != nil):
		return strictyaml.Problems{notice.RenameProblem(c.path, owner)}, nil
	case w.Judge != nil && c.origin.Signed():
		c.signatures = nil // those beside it counted, and count no more
	case w.Judge != nil && c.origin != nil:
		return strictyaml.Problems{{File: c.path, Line: 1, Column: 1, Text: UnsignedRevert}}, nil
	case w.Judge != nil:
		return strictyaml.Problems{{File: c.path, Line: 1, Column: 1, Text: Replay}}, nil
	}
	return nil, nil
}

// Replay is what is wrong with bytes that counted before.
const Replay = "is an older version, which was accepted before; a signature counts once: " +
	"if these words are to count again, change something (a space at the end will do) and sign the file anew"

// UnsignedRevert is Replay in a checkout, where a signed commit may bring them back.
const UnsignedRevert = "is an older version, which was accepted before, in a commit that isn't signed; a signature beside the file counts once: " +
	"if these words are to count again, sign the commit (git commit --amend --no-edit -S, where it is the last one)"

// stateOf tells one state of a file and its signatures, those beside it and its
// commit's, from another; nil where signatures don't matter: then the content's own
// hash does.
func stateOf(sha string, signatures [][]byte, origin *checkout.Origin) string {
	if signatures == nil {
		return sha
	}
	if origin.Signed() {
		signatures = append(slices.Clone(signatures), origin.Signature)
	}
	all := sha256.New()
	all.Write([]byte(sha))
	for _, s := range signatures {
		one := sha256.Sum256(s)
		all.Write(one[:])
	}
	return hex.EncodeToString(all.Sum(nil))
}
