package subscribe

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// rate lets so many through at once, and one more after each interval.
type rate struct {
	most  float64
	every time.Duration
}

// Whoever asks for mail costs a stranger a mail, if the address is a stranger's.
// What one address may get is the ledger's to limit.
var (
	perClient  = rate{20, 3 * time.Minute}   // an IPv4 address, or the /64 of a customer with IPv6
	perNetwork = rate{200, 18 * time.Second} // /24, or /48
	inAll      = rate{1000, 4 * time.Second}
	perMailbox = rate{5, 12 * time.Minute} // however it is written; the ledger limits one address
)

// Limits keeps strangers from asking too often: token buckets in memory. There
// are only as many as inAll lets through in the time in which a bucket fills
// again, an hour: some two thousand of each kind, however many clients ask.
type Limits struct {
	mu        sync.Mutex
	all       bucket
	networks  map[netip.Prefix]bucket
	clients   map[netip.Prefix]bucket
	mailboxes map[string]bucket
	swept     time.Time
}

// NewLimits gives limits that nothing counts against yet.
func NewLimits() *Limits {
	return &Limits{networks: map[netip.Prefix]bucket{}, clients: map[netip.Prefix]bucket{}, mailboxes: map[string]bucket{}}
}

// bucket holds what was taken out of it and has not flowed back. A full one is
// the zero bucket.
type bucket struct {
	taken float64
	at    time.Time
}

// Allow counts a request at now, and tells whether it is within the limits. One
// that isn't counts against none of them.
func (l *Limits) Allow(from netip.Addr, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	client, network := prefixes(from)
	all, allOK := l.all.take(inAll, now)
	one, oneOK := l.clients[client].take(perClient, now)
	near, nearOK := l.networks[network].take(perNetwork, now)
	if !allOK || !oneOK || !nearOK {
		return false
	}
	l.sweep(now)
	l.all, l.clients[client], l.networks[network] = all, one, near
	return true
}

// AllowMailbox counts a request for an address at now, and tells whether its
// mailbox may get one more mail. It is asked of requests that Allow has let
// through.
func (l *Limits) AllowMailbox(address string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := mailbox(address)
	b, ok := l.mailboxes[name].take(perMailbox, now)
	if ok {
		l.mailboxes[name] = b
	}
	return ok
}

// mailbox is what an address most likely leads to: many servers deliver
// ada+shop@example.org to ada@example.org, and some a.da@example.org.
func mailbox(address string) string {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	local, _, _ = strings.Cut(local, "+")
	return strings.ReplaceAll(local, ".", "") + "@" + domain
}

// take takes one out, if there is one.
func (b bucket) take(r rate, now time.Time) (bucket, bool) {
	if b = b.after(r, now); b.taken+1 > r.most {
		return b, false
	}
	b.taken++
	return b, true
}

// after is the bucket at now. Requests may come in another order than they were
// stamped in: no time counts twice.
func (b bucket) after(r rate, now time.Time) bucket {
	if now.Before(b.at) {
		return b
	}
	back := now.Sub(b.at).Seconds() / r.every.Seconds()
	return bucket{max(0, b.taken-back), now}
}

// sweep forgets the buckets that are full again, once a minute.
func (l *Limits) sweep(now time.Time) {
	if since := now.Sub(l.swept); since >= 0 && since < time.Minute {
		return
	}
	l.swept = now
	forget(l.clients, perClient, now)
	forget(l.networks, perNetwork, now)
	forget(l.mailboxes, perMailbox, now)
}

func forget[K comparable](buckets map[K]bucket, r rate, now time.Time) {
	for from, b := range buckets {
		if b.after(r, now).taken == 0 {
			delete(buckets, from)
		}
	}
}

// prefixes are the client and the network of an address: what one customer with
// IPv6 is given is a /64 at least, and a /48 at most (RFC 6177). Those without an
// address, who come by a Unix socket, are one client.
func prefixes(from netip.Addr) (client, network netip.Prefix) {
	from = from.Unmap()
	bits := [2]int{64, 48}
	if from.Is4() {
		bits = [2]int{32, 24}
	}
	client, _ = from.Prefix(bits[0])
	network, _ = from.Prefix(bits[1])
	return client, network
}
