package notify

import (
	"strings"
	"testing"

	"github.com/backsoon/backsoon/internal/ledger"
)

// TestStepsLeaveATrail: who ticked which step of the reopening plan, and when; who
// took it back, added one or took one out.
func TestStepsLeaveATrail(t *testing.T) {
	ada, bob := newSigner(t), newSigner(t)
	b := newBench(t, "2026-11-20 10:00", "publishers:\n"+ada.as("Ada", everything, "")+bob.as("Bob", "write, reopen", "")+"needs: {reopen: 2}\n")
	plan := func(steps ...string) string {
		return strings.Replace(works(19, 18, 23, 9), "---\n", "---\nreopening:\n  "+strings.Join(steps, "\n  ")+"\n", 1)
	}
	for _, v := range []struct {
		text    string
		signers []signer
	}{
		{plan("stock counted: no", "Karton geprüft: yes", "test order placed: no"), []signer{ada}},
		{plan("stock counted: yes", "Karton geprüft: yes", "test order placed: no"), []signer{bob}},
		{plan("test order placed: no", "stock counted: yes", "Karton geprüft: yes"), []signer{bob}}, // another order
		{plan("stock counted: no", "Karton geprüft: yes", "test order placed: no") + " ", []signer{ada}},
		{plan("stock counted: yes", "keys returned: yes", "post called: no"), []signer{ada}},
		{plan("stock counted: yes", "keys returned: yes", "post called: yes"), []signer{ada}}, // one alone may not open
		{plan("stock counted: yes", "keys returned: yes", "post called: yes"), []signer{ada, bob}},
	} {
		b.publish("works.md", v.text, v.signers...)
		b.settle()
	}
	var trail []string
	for _, e := range b.log() {
		if e.Step == "" {
			continue
		}
		line := e.Event + " " + e.Notice + " " + e.Step + " " + e.By.Name
		for _, also := range e.Also {
			line += "+" + also.Name
		}
		if !e.By.Verified || e.Time.IsZero() {
			line += " who? when?"
		}
		trail = append(trail, line)
	}
	equal(t, "trail", trail, []string{
		"step.done works Karton geprüft Ada",
		"step.done works stock counted Bob",
		"step.undone works stock counted Ada",
		"step.done works stock counted Ada", "step.added works keys returned Ada", "step.done works keys returned Ada", "step.added works post called Ada",
		"step.removed works Karton geprüft Ada", "step.removed works test order placed Ada",
		"step.done works post called Ada+Bob",
	})
	refused := 0
	for _, e := range b.log() {
		if e.Event == ledger.NoticeRefused {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d refusals", refused)
	}
}
