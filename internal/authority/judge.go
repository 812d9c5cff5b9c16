package authority

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/checkout"
	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
)

// Publication is what somebody wants to count: bytes, the signatures beside them, the
// commit that they are from, and what they would change. The bytes are those that
// Next was parsed from.
type Publication struct {
	Path          string // of the notice's file, or its translation's, relative to the site
	Source        []byte
	Signatures    [][]byte         // in the order of notice.SignatureNames; nil: that file isn't there
	Origin        *checkout.Origin // nil: it is in no commit that counts
	InForce, Next *notice.Notice   // InForce nil: a new notice; the same one twice: words alone
}

// Judge tells who is behind a publication: the publishers whose signatures make it
// count, the one who may do most of what it does first. The error is a *Refusal
// where nobody signed, or those who did may not do what it does: nothing is allowed
// but by a right. Then whose key it was, as far as that is known.
func Judge(cfg *config.Config, p Publication, now time.Time) ([]ledger.By, error) {
	signers, why := signersOf(cfg.Publishers, p, now)
	if len(signers) == 0 {
		return why.whose(), why
	}
	effects := Effects(p.InForce, p.Next, cfg.StorefrontIDs(), now)
	slices.SortStableFunc(signers, func(a, b signer) int { return b.holds(effects) - a.holds(effects) })
	for _, e := range effects {
		if r := allowed(cfg, e, signers, now); r != nil {
			if r.Kind == TooFew && p.Origin != nil {
				r.Text += fmt.Sprintf(" (one commit is one person: the other one signs with `backsoon publish %s`, and commits the signature)", slugOf(p.Path))
			}
			if why != nil {
				r.Text += ". Another signature does not count: " + why.Text
			}
			return r.whose(), r
		}
	}
	var by []ledger.By
	for _, s := range signers {
		by = append(by, s.by)
	}
	return by, nil
}

// signer is a publisher whose signature holds.
type signer struct {
	config.Publisher
	by ledger.By
}

// holds counts the effects that the signer may bring about.
func (s signer) holds(effects []Effect) (n int) {
	for _, e := range effects {
		if s.Holds(e.Right, e.Storefront) {
			n++
		}
	}
	return n
}

// signersOf gives everybody who signed, each person once, and what is wrong with a
// signature that doesn't count; nil: nothing, unless there are no signers. What is
// wrong with a signed commit says more than what is wrong beside it: a signature there
// may be of older words.
func signersOf(publishers []config.Publisher, p Publication, now time.Time) (signers []signer, why *Refusal) {
	take := func(publisher config.Publisher, by ledger.By, r *Refusal) *Refusal {
		known := slices.ContainsFunc(signers, func(s signer) bool { return s.Email == publisher.Email })
		if r == nil && !known {
			signers = append(signers, signer{publisher, by})
		}
		return r
	}
	for i, name := range notice.SignatureNames(path.Base(p.Path)) {
		if i < len(p.Signatures) && p.Signatures[i] != nil {
			why = cmp.Or(why, take(verify(publishers, detached(name, p.Source, p.Signatures[i]), now)))
		}
	}
	if o := p.Origin; o != nil && (o.Commit == nil || o.Signature != nil) {
		why = cmp.Or(take(committed(publishers, p, now)), why)
	}
	if len(signers) == 0 && why == nil {
		why = unsigned(p)
	}
	return signers, why
}

// unsigned is the refusal of what bears no signature at all.
func unsigned(p Publication) *Refusal {
	if p.Origin != nil {
		return unsignedCommit(p)
	}
	return &Refusal{Kind: Unsigned, Text: "is not signed; sign it with `backsoon publish " + slugOf(p.Path) + "`"}
}

func slugOf(file string) string { return strings.TrimSuffix(path.Base(file), ".md") }

// allowed tells whether enough of the signers hold the right; nil: they do. Whoever
// is named as able to sign has keys that still count.
func allowed(cfg *config.Config, e Effect, signers []signer, now time.Time) *Refusal {
	need, front := max(1, cfg.Needs[e.Right]), e.Storefront
	var may, others []string
	for _, s := range signers {
		if s.Holds(e.Right, front) {
			may = append(may, s.Name)
		}
	}
	for _, p := range cfg.Publishers {
		if p.Holds(e.Right, front) && !p.Ended(now) && !slices.Contains(may, p.Name) {
			others = append(others, p.Name)
		}
	}
	list := locale.English().List
	switch {
	case len(may) >= need:
		return nil
	case need > 1 && len(may) > 0:
		remedy := "have one of them sign, too: " + list(others)
		if len(others) == 0 {
			remedy = "nobody else may: give the right to somebody in backsoon.yaml, or renew expires"
		}
		return &Refusal{TooFew, signers[0].by, fmt.Sprintf("is signed by %s alone, and to %s takes %d people; %s", list(may), deed(e), need, remedy)}
	}
	remedy := "have it signed by somebody who may: " + list(others)
	if len(others) == 0 {
		remedy = "nobody may: give the right to somebody in backsoon.yaml"
	}
	return &Refusal{NotPermitted, signers[0].by, fmt.Sprintf("is signed by %s, who may not %s; %s", list(names(signers)), deed(e), remedy)}
}

func names(signers []signer) (names []string) {
	for _, s := range signers {
		names = append(names, s.Name)
	}
	return names
}

// deed puts an effect into words.
func deed(e Effect) string {
	switch e.Right {
	case config.Close:
		return "close " + e.Storefront
	case config.Extend:
		return "keep " + e.Storefront + " closed for longer"
	case config.Cancel:
		return "call off a closure of " + e.Storefront
	case config.Reopen:
		return "open " + e.Storefront + " earlier"
	}
	return "write about " + e.Storefront
}
