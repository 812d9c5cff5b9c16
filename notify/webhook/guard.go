package webhook

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// publicOnly knows the address blocks that are not on the public Internet, by
// IANA's special-purpose registries.
var publicOnly = ssrf.New(ssrf.WithAnyPort())

// guard is a net.Dialer's Control. It looks at the address that was resolved,
// not at the name, so that no answer of the DNS leads into the shop's own network.
func guard(network, address string, conn syscall.RawConn) error {
	if publicOnly.Safe(network, address, conn) == nil {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	return &privateError{host}
}

// privateError is the guard's refusal.
type privateError struct{ address string }

func (e *privateError) Error() string {
	return fmt.Sprintf("its name leads to the private address %s; set private: true on this webhook if that is meant", e.address)
}

// namesPrivate tells whether the URL itself says that it is private: its host
// is localhost, or a literal loopback or private address (RFC 1918, RFC 4193).
// Other special addresses, such as a cloud's link-local metadata, need Private.
func namesPrivate(u *url.URL) bool {
	if strings.EqualFold(u.Hostname(), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return false
	}
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsPrivate()
}
