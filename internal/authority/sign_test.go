package authority

import (
	"errors"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/backsoon/backsoon/internal/config"
)

// signs makes sure whose signature Sign adds, and into which place; "": it is an
// error, which is given back.
func signs(t *testing.T, cfg *config.Config, p *Publication, want string, slot int, keys ...ssh.Signer) error {
	t.Helper()
	s, err := Sign(cfg, *p, keys, now)
	if want == "" {
		if err == nil {
			t.Fatalf("signed by %+v", s.By)
		}
		return err
	}
	if err != nil || s.By.Name != want || s.Slot != slot {
		t.Fatalf("by %q in %d: %v; want %s in %d", s.By.Name, s.Slot, err, want, slot)
	}
	for len(p.Signatures) <= slot {
		p.Signatures = append(p.Signatures, nil)
	}
	p.Signatures[slot] = s.Armored
	return nil
}

func TestSign(t *testing.T) {
	ada, bob := newPerson(t, "Ada", "web pos", config.Rights...), newPerson(t, "Bob", "web pos", config.Close)
	eve, old := newPerson(t, "Eve", "web pos", config.Rights...), newPerson(t, "Old", "web pos", config.Rights...)
	old.Expires = now
	cfg := settings(ada.Publisher, bob.Publisher, old.Publisher)
	cfg.Needs = map[config.Right]int{config.Close: 2}

	p := change(t, "", planned)
	for _, keys := range [][]ssh.Signer{nil, {eve.signer}, {old.signer, eve.signer}} {
		if err := signs(t, cfg, &p, "", 0, keys...); !errors.Is(err, ErrNoKey) {
			t.Error(err)
		}
	}
	p.Signatures = [][]byte{armored(t, ada.signer, []byte("an older version")), nil}
	signs(t, cfg, &p, "Ada", 0, eve.signer, ada.signer)
	if err := signs(t, cfg, &p, "", 0, ada.signer); !errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
	signs(t, cfg, &p, "Bob", 1, ada.signer, bob.signer)
	if _, err := Judge(cfg, p, now); err != nil {
		t.Error(err)
	}

	p = change(t, planned, "reopens: 2026-12-28")
	var r *Refusal
	if err := signs(t, cfg, &p, "", 0, bob.signer); !errors.As(err, &r) || r.Kind != NotPermitted {
		t.Error(err)
	}
	signs(t, cfg, &p, "Ada", 0, bob.signer, ada.signer) // who may do it
}
