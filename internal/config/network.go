package config

import (
	"net"
	"net/netip"
	"strconv"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// readHostPort reads where to listen. Port 0 lets the system choose one.
func readHostPort(v strictyaml.Value, example string) string {
	text, ok := v.Text(example)
	if !ok {
		return ""
	}
	_, port, err := net.SplitHostPort(text)
	n, portErr := strconv.Atoi(port)
	if err != nil || portErr != nil || n < 0 || n > 65535 {
		v.Errorf("%q is not a host and port; write %s: %s", strictyaml.Clip(text), v.Key, example)
	}
	return text
}

// readPrefixes reads addresses, and networks in CIDR notation (RFC 4632).
func readPrefixes(v strictyaml.Value) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, item := range v.List("127.0.0.1") {
		text, ok := item.Text("[127.0.0.1]")
		if !ok {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if ip, ipErr := netip.ParseAddr(text); ipErr == nil && ip.Zone() == "" {
			prefix, err = netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()), nil
		}
		if err != nil {
			item.Errorf("%q is neither an address nor a network; write trusted_proxies: [127.0.0.1, 10.0.0.0/8]", strictyaml.Clip(text))
			continue
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes
}
