package notify

import (
	"errors"
	"testing"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/verify"
)

// TestLogBegunAnew: where the ledger has lost entries, a receiver may obey a revision
// that it doesn't know. It is told its state anew, once, be that as the ledger has it
// or not, and is never told in between what the ledger alone believes.
func TestLogBegunAnew(t *testing.T) {
	for name, now := range map[string]string{"as the ledger has it": "2026-12-25 10:00", "otherwise": "2027-01-05 10:00"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "2026-12-24 18:00", "")
			b.write("winter-break.md", winter)
			b.settle()
			known := b.front("web").Revision
			b.web.payloads()
			if err := b.w.Close(); err != nil {
				t.Fatal(err)
			}
			b.set(at(now))
			err := b.l.Update(t.Context(), func(tx *ledger.Tx) error {
				signed, _, err := tx.Checkpoint()
				if err != nil {
					return err
				}
				e := ledger.Entry{Time: b.clock(), Event: ledger.LogBegun, Found: signed}
				return errors.Join(tx.BeginLog(2, "status.example/log/2", logKey), must(tx.Audit(e)))
			})
			if err != nil {
				t.Fatal(err)
			}
			b.start()
			b.settle()
			b.settle()
			f := b.front("web")
			got, _ := b.web.payloads()
			if f.Revision <= known || len(got) != 1 || got[0].Data.Revision != f.Revision || got[0].Data.Checkout != f.Checkout {
				t.Errorf("revision %d after %d, the storefront is told %+v", f.Revision, known, got)
			}
			err = b.l.View(t.Context(), func(tx *ledger.Tx) error {
				_, err := verify.Ledger(tx, []string{logKey.Verifier("status.example/log/2")}, nil)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func must[T any](_ T, err error) error { return err }
