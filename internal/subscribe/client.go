package subscribe

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// client is where a request comes from: the last address of X-Forwarded-For
// that is not one of our own proxies.
func (h *Handler) client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && h.trusted(host); i-- {
		next, ok := hop(strings.TrimSpace(hops[i]))
		if !ok {
			break
		}
		host = next.Unmap().String()
	}
	return host
}

// hop reads an address as proxies write it, some with the port.
func hop(text string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr, true
	}
	withPort, err := netip.ParseAddrPort(text)
	return withPort.Addr(), err == nil
}

func (h *Handler) trusted(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range h.Proxies {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// allow tells whether the request is within the limits. That one isn't is logged
// once a minute: the log must not grow with the flood.
func (h *Handler) allow(r *http.Request) bool {
	client, now := h.client(r), h.Now()
	from, _ := netip.ParseAddr(client) // none: by a Unix socket
	if h.Limits.Allow(from, now) {
		return true
	}
	if minute := now.Unix() / 60; h.warned.Swap(minute) != minute {
		log := h.Log
		if r.Header.Get("X-Forwarded-For") != "" && !h.trusted(client) && strings.HasPrefix(r.RemoteAddr, client) {
			log = log.With("hint", "if that is your proxy, name it in trusted_proxies: all its customers count as one")
		}
		log.Warn("too many ask for mail at once", "from", client)
	}
	return false
}
