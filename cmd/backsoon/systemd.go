package main

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/backsoon/backsoon/internal/operator"
)

// underSystemd tells systemd how the watcher is (sd_notify(3)): that it is ready,
// once it has looked at the notices; that it works, as often as the unit's
// WatchdogSec asks; that it stops. Where nobody listens it does nothing.
func underSystemd(ctx context.Context, desk *operator.Desk) {
	every := time.Second
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err == nil && watchdog > 0 {
		every = min(every, watchdog/3)
	}
	look := time.NewTicker(every)
	defer look.Stop()
	for ready := false; ; {
		if !ready && desk.Ready() == nil {
			ready = true
			tell(daemon.SdNotifyReady)
		}
		if watchdog > 0 && desk.Healthy() == nil {
			tell(daemon.SdNotifyWatchdog)
		}
		select {
		case <-ctx.Done():
			tell(daemon.SdNotifyStopping)
			return
		case <-look.C:
		}
	}
}

// tell is lost where systemd is gone: then nobody waits for it.
func tell(state string) { _, _ = daemon.SdNotify(false, state) }
