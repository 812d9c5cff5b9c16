package authority

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// ErrNoKey is that none of the keys at hand is a publisher's who has yet to sign.
var ErrNoKey = errors.New("no key at hand is a publisher's that still counts")

// Signature is one that was made for a publication.
type Signature struct {
	Slot    int    // which of notice.SignatureNames it belongs into
	Armored []byte // the file
	By      ledger.By
	More    *Refusal // why it doesn't suffice: somebody else has to sign, too; nil: it does
}

// Sign signs a publication with one of the keys at hand: of those whose owners have
// not signed it yet, the one that may do most of what it does. It takes the place of
// a signature that doesn't hold. The error is a *Refusal where the signature would
// count for nothing, and ErrNoKey where there is none to be made.
func Sign(cfg *config.Config, p Publication, keys []ssh.Signer, now time.Time) (Signature, error) {
	slots := make([][]byte, len(notice.SignatureNames("")))
	copy(slots, p.Signatures)
	p.Signatures = slots
	signed, _ := signersOf(cfg.Publishers, p, now)
	key := choose(cfg, p, keys, signed, now)
	if key == nil {
		return Signature{}, ErrNoKey
	}
	sig, err := sshsig.Sign(bytes.NewReader(p.Source), key, sshsig.HashSHA512, Namespace)
	if err != nil {
		return Signature{}, err
	}
	s := Signature{Slot: freeSlot(cfg, p, now), Armored: sshsig.Armor(sig)}
	p.Signatures[s.Slot] = s.Armored
	_, err = Judge(cfg, p, now)
	if errors.As(err, &s.More) && s.More.Kind != TooFew {
		return Signature{}, err
	}
	_, s.By, _ = verify(cfg.Publishers, detached("", p.Source, s.Armored), now)
	return s, nil
}

// choose gives the key to sign with; nil: none.
func choose(cfg *config.Config, p Publication, keys []ssh.Signer, signed []signer, now time.Time) (best ssh.Signer) {
	effects, most := Effects(p.InForce, p.Next, cfg.StorefrontIDs(), now), -1
	for _, key := range keys {
		publisher, known := keyOf(cfg.Publishers, key.PublicKey())
		again := slices.ContainsFunc(signed, func(s signer) bool { return s.Email == publisher.Email })
		if known == nil || publisher.Ended(now) || again {
			continue
		}
		if n := (signer{Publisher: publisher}).holds(effects); n > most {
			best, most = key, n
		}
	}
	return best
}

// freeSlot is the first place in which no signature holds, or else the last one.
func freeSlot(cfg *config.Config, p Publication, now time.Time) int {
	for i, sig := range p.Signatures {
		if _, _, r := verify(cfg.Publishers, detached("", p.Source, sig), now); r != nil {
			return i
		}
	}
	return len(p.Signatures) - 1
}
