// Package checkpoint has what lets an outsider verify the audit log without
// trusting who keeps it: the log's key, its checkpoints and its proofs.
//
// A checkpoint (https://c2sp.org/tlog-checkpoint) says how many entries the log has
// and which hash is the root of the Merkle tree (RFC 6962, section 2.1) over them:
//
//	status.harbourbooks.example/log
//	142
//	CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//
//	— status.harbourbooks.example/log Az3grlgtzPICa5OS8npVmf1Myq/5…
//
// It is signed as a note (https://c2sp.org/signed-note). Whoever keeps one can tell
// later whether the log still begins with the very same entries.
package checkpoint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is what a log has come to.
type Checkpoint struct {
	Origin string
	Size   int64     // how many entries it has
	Root   tlog.Hash // of the tree over them
}

func (c Checkpoint) body() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// maxNote is how many bytes a signed checkpoint has at most: enough for one that
// many witnesses have signed, too.
const maxNote = 64 << 10

var errForm = errors.New("is not a checkpoint: origin, size and hash on a line each, an empty line, and signatures")

// Read reads a checkpoint and looks at no signature.
func Read(signed string) (c Checkpoint, err error) {
	body, signatures, found := strings.Cut(signed, "\n\n")
	lines := strings.Split(body, "\n")
	if !found || len(signed) > maxNote || len(lines) < 3 || lines[0] == "" || !strings.HasPrefix(signatures, "— ") {
		return c, errForm
	}
	c.Origin = lines[0]
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 || lines[1] != strconv.FormatInt(c.Size, 10) {
		return Checkpoint{}, errForm
	}
	if c.Root, err = readHash(lines[2]); err != nil {
		return Checkpoint{}, errForm
	}
	return c, nil
}

// readHash reads a hash in base64.
func readHash(text string) (h tlog.Hash, err error) {
	b, err := readBase64(text)
	if err == nil && len(b) != tlog.HashSize {
		err = errors.New("a hash has 32 bytes")
	}
	copy(h[:], b)
	return h, err
}

// readBase64 reads what has one form only: line breaks and loose bits are refused.
func readBase64(text string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil && base64.StdEncoding.EncodeToString(b) != text {
		err = errors.New("it could be written otherwise")
	}
	return b, err
}

// Open reads a checkpoint that has the signature of the verifier key, whose name is
// its origin.
func Open(signed, verifier string) (Checkpoint, error) {
	c, err := Read(signed)
	if err != nil {
		return c, err
	}
	v, err := note.NewVerifier(verifier)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%q is no verifier key, such as `backsoon log key` prints", verifier)
	}
	if v.Name() != c.Origin {
		return Checkpoint{}, fmt.Errorf("is of the log %s, and the key of %s", c.Origin, v.Name())
	}
	if _, err := note.Open([]byte(signed), note.VerifierList(v)); err != nil {
		return Checkpoint{}, fmt.Errorf("does not have the signature of %s", verifier)
	}
	return c, nil
}

// Origin names the first log of the shop with that address: the address without
// its scheme, and /log (https://c2sp.org/tlog-tiles, "Parameters").
func Origin(shop *url.URL) string {
	plain := strings.NewReplacer("+", "%2B", " ", "%20").Replace(shop.EscapedPath())
	return shop.Host + strings.TrimSuffix(plain, "/") + "/log"
}

// Nth names the n-th log after the first one of that origin, which is number 1.
func Nth(origin string, n int64) string {
	base, _ := Numbered(origin)
	if n <= 1 {
		return base
	}
	return fmt.Sprint(base, "/", n)
}

// Numbered takes an origin apart: the first log's, and the number of this one.
func Numbered(origin string) (base string, n int64) {
	i := strings.LastIndexByte(origin, '/')
	if i < 0 {
		return origin, 1
	}
	n, err := strconv.ParseInt(origin[i+1:], 10, 64)
	if err != nil || n < 2 || !strings.HasSuffix(origin[:i], "/log") {
		return origin, 1
	}
	return origin[:i], n
}
