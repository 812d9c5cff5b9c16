package subscribe

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

var evening = time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)

// allowed counts how many of n requests are let through at once.
func allowed(l *Limits, n int, now time.Time, from func(i int) netip.Addr) (through int) {
	for i := range n {
		if l.Allow(from(i), now) {
			through++
		}
	}
	return through
}

func always(s string) func(int) netip.Addr {
	return func(int) netip.Addr { return netip.MustParseAddr(s) }
}

func TestRates(t *testing.T) {
	for name, test := range map[string]struct {
		from func(int) netip.Addr
		want rate
	}{
		"one address": {always("198.51.100.1"), perClient},
		"the same as IPv6": {func(i int) netip.Addr {
			return netip.MustParseAddr([]string{"198.51.100.1", "::ffff:198.51.100.1"}[i%2])
		}, perClient},
		"one /64":                 {func(i int) netip.Addr { return numbered("2001:db8::", 1<<40+uint64(i), 8) }, perClient},
		"one /24":                 {func(i int) netip.Addr { return numbered("198.51.100.0", uint64(i%256), 0) }, perNetwork},
		"one /48":                 {func(i int) netip.Addr { return numbered("2001:db8::", uint64(i), 0) }, perNetwork},
		"all the world":           {func(i int) netip.Addr { return numbered("10.0.0.0", uint64(i)<<8, 0) }, inAll},
		"all the world over IPv6": {func(i int) netip.Addr { return numbered("2001:db8::", uint64(i)<<16, 0) }, inAll},
		"no address":              {func(int) netip.Addr { return netip.Addr{} }, perClient},
	} {
		l := NewLimits()
		if got := allowed(l, 3000, evening, test.from); got != int(test.want.most) {
			t.Errorf("%s: %d at once, want %v", name, got, test.want.most)
		}
		if got := allowed(l, 3000, evening.Add(5*test.want.every), test.from); got != 5 {
			t.Errorf("%s: %d more after a while, want 5", name, got)
		}
		if got := allowed(l, 3000, evening, test.from); got != 0 {
			t.Errorf("%s: %d more in the past", name, got)
		}
		if got := allowed(l, 3000, evening.Add(24*time.Hour), test.from); got != int(test.want.most) {
			t.Errorf("%s: %d a day later, want %v", name, got, test.want.most)
		}
	}
}

// numbered is an address with a number added: at the end of an IPv4 address; at
// bit 64 of an IPv6 address, or at its end where last is 8.
func numbered(base string, n uint64, at int) netip.Addr {
	a := netip.MustParseAddr(base)
	if a.Is4() {
		b := a.As4()
		binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+uint32(n))
		return netip.AddrFrom4(b)
	}
	b := a.As16()
	binary.BigEndian.PutUint64(b[at:], binary.BigEndian.Uint64(b[at:])+n)
	return netip.AddrFrom16(b)
}

// TestMailboxes: one that has several addresses is one.
func TestMailboxes(t *testing.T) {
	l := NewLimits()
	through := 0
	for i := range 100 {
		if l.AllowMailbox([]string{"ada.lovelace", "AdaLovelace+shop", "a.dalovelace"}[i%3]+"@example.org", evening) {
			through++
		}
	}
	if through != int(perMailbox.most) {
		t.Errorf("%d mails", through)
	}
	if !l.AllowMailbox("ada@example.org", evening) || !l.AllowMailbox("adalovelace@example.com", evening) {
		t.Error("another mailbox has to wait")
	}
	if !l.AllowMailbox("adalovelace@example.org", evening.Add(perMailbox.every)) {
		t.Error("nothing more after a while")
	}
}

// TestLimitsStaySmall: a million clients over a day leave a few thousand buckets.
func TestLimitsStaySmall(t *testing.T) {
	l := NewLimits()
	const most = 2500
	for i := range 1_000_000 {
		now := evening.Add(time.Duration(i) * 24 * time.Hour / 1_000_000)
		if l.Allow(numbered("2001:db8::", uint64(i)<<16, 0), now) {
			l.AllowMailbox(fmt.Sprint(i, "@example.org"), now)
		}
		if i%1000 == 0 && max(len(l.clients), len(l.networks), len(l.mailboxes)) > most {
			t.Fatalf("after %d: %d, %d and %d", i, len(l.clients), len(l.networks), len(l.mailboxes))
		}
	}
	l.Allow(netip.MustParseAddr("198.51.100.1"), evening.Add(48*time.Hour))
	if len(l.clients) != 1 || len(l.networks) != 1 || len(l.mailboxes) != 0 {
		t.Errorf("a day later: %d, %d and %d", len(l.clients), len(l.networks), len(l.mailboxes))
	}
}

// TestRefusedCountsAgainstNobody: a client that is over its limit takes nothing
// from the others.
func TestRefusedCountsAgainstNobody(t *testing.T) {
	l := NewLimits()
	allowed(l, 100_000, evening, always("198.51.100.1"))
	if got := allowed(l, 1000, evening, func(i int) netip.Addr { return numbered("198.51.100.2", uint64(i%250), 0) }); got != int(perNetwork.most-perClient.most) {
		t.Errorf("%d neighbours", got)
	}
	if got := allowed(l, 10_000, evening, func(i int) netip.Addr { return numbered("10.0.0.0", uint64(i)<<8, 0) }); got != int(inAll.most-perNetwork.most) {
		t.Errorf("%d others", got)
	}
}
