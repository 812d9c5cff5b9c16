package notify

import (
	"bytes"
	"context"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
)

// edited is backsoon.yaml as it is now, where that is other than what the watcher
// works by. It was read when the watcher started, and counts from the next start on.
type edited struct {
	src  []byte // nil: it is as it was
	told bool   // the owner knows
}

// lookAtSettings tells the owner of a backsoon.yaml that was changed and waits for a
// restart: once for each content, and only when two looks have found the same.
func (w *Watcher) lookAtSettings(ctx context.Context, now time.Time) error {
	src, err := config.Read(w.Config.Dir)
	if err != nil || bytes.Equal(src, w.Config.Source) { // what is gone, or can't be read, is not in anybody's way until a restart
		w.edited = edited{}
		return nil
	}
	if !bytes.Equal(src, w.edited.src) {
		w.edited = edited{src: src}
		return nil
	}
	if w.edited.told {
		return nil
	}
	if !w.leads {
		w.Log.Warn(editedAlert.subject, "detail", editedAlert.text)
		w.edited.told = true
		return nil
	}
	return w.member.Update(ctx, func(tx *ledger.Tx) error {
		tx.AfterCommit(func() { w.edited.told = true })
		return w.alert(tx, editedAlert, now)
	})
}

var editedAlert = alert{
	subject: "backsoon.yaml was changed, and doesn't count yet",
	text: "backsoon.yaml is other than when the watcher started. What it says counts once the watcher is restarted; `backsoon check` finds the " +
		"mistakes in it before.\n\nIf nobody was to change it, find out who did, and put it back: what it says about publishers would count, too.\n",
}
