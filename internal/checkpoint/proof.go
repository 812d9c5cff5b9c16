package checkpoint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Proof shows that an entry is in a log, without the log: the entry, the hashes
// that lead from it to the root of the tree, and the checkpoint that signs the
// root. As a file it is a C2SP tlog-proof (https://c2sp.org/tlog-proof) with the
// entry as its extra data.
type Proof struct {
	Entry      []byte // its very bytes, as the tree has them
	Index      int64  // in its log, from 0
	Hashes     tlog.RecordProof
	Checkpoint string // a signed note
}

const proofHead = "c2sp.org/tlog-proof@v1\n"

// maxProof is how many bytes a proof has at most.
const maxProof = 1 << 20

// Format gives the proof as a file.
func (p Proof) Format() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%sextra %s\nindex %d\n", proofHead, base64.StdEncoding.EncodeToString(p.Entry), p.Index)
	for _, h := range p.Hashes {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteString("\n" + p.Checkpoint)
	return []byte(b.String())
}

var errProof = errors.New("is not a proof, such as `backsoon log prove` writes (c2sp.org/tlog-proof@v1)")

// ParseProof reads a proof and verifies nothing of it.
func ParseProof(file []byte) (p Proof, err error) {
	text, found := strings.CutPrefix(string(file), proofHead)
	head, signed, whole := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || !whole || len(file) > maxProof || len(lines) < 2 {
		return p, errProof
	}
	extra, hasEntry := strings.CutPrefix(lines[0], "extra ")
	index, hasIndex := strings.CutPrefix(lines[1], "index ")
	if !hasEntry || !hasIndex {
		return p, errProof
	}
	p.Checkpoint = signed
	if p.Entry, err = readBase64(extra); err != nil {
		return Proof{}, errProof
	}
	if p.Index, err = strconv.ParseInt(index, 10, 64); err != nil || p.Index < 0 || index != strconv.FormatInt(p.Index, 10) {
		return Proof{}, errProof
	}
	if p.Hashes, err = readHashes(lines[2:]); err != nil {
		return Proof{}, errProof
	}
	return p, nil
}

func readHashes(lines []string) (hashes tlog.RecordProof, err error) {
	for _, line := range lines {
		h, err := readHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}

// Verify tells whether the entry is in the log whose verifier key this is, and
// gives the checkpoint that says so.
func (p Proof) Verify(verifier string) (Checkpoint, error) {
	c, err := Open(p.Checkpoint, verifier)
	if err != nil {
		return c, fmt.Errorf("its checkpoint %w", err)
	}
	if tlog.CheckRecord(p.Hashes, c.Size, c.Root, p.Index, tlog.RecordHash(p.Entry)) != nil {
		return c, fmt.Errorf("the entry in it is not entry %d of the log %s", p.Index, c.Origin)
	}
	return c, nil
}
