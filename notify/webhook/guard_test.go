package webhook

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestGuardLooksAtTheAddress(t *testing.T) {
	for address, allowed := range map[string]bool{
		"93.184.215.14:443":          true,
		"93.184.215.14:8443":         true,
		"[2606:4700::1111]:443":      true,
		"127.0.0.1:80":               false,
		"10.1.2.3:443":               false,
		"172.16.0.1:443":             false,
		"192.168.1.1:443":            false,
		"169.254.169.254:80":         false,
		"100.64.0.1:443":             false,
		"0.0.0.0:80":                 false,
		"[::1]:80":                   false,
		"[fd00::1]:80":               false,
		"[fe80::1]:80":               false,
		"[::ffff:127.0.0.1]:80":      false,
		"[64:ff9b::7f00:1]:80":       false,
		"something that is no place": false,
	} {
		network := "tcp4"
		if strings.HasPrefix(address, "[") {
			network = "tcp6"
		}
		err := guard(network, address, nil)
		var private *privateError
		if (err == nil) != allowed || (err != nil && !errors.As(err, &private)) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestNamesPrivate(t *testing.T) {
	for target, want := range map[string]bool{
		"http://localhost:9000/":         true,
		"http://LocalHost/":              true,
		"http://127.0.0.1:9000/":         true,
		"http://[::1]/":                  true,
		"http://[::ffff:10.0.0.1]/":      true,
		"http://192.168.0.7/":            true,
		"http://169.254.169.254/":        false,
		"http://shop.example/":           false,
		"http://localhost.shop.example/": false,
		"http://127.1/":                  false,
		"http://93.184.215.14/":          false,
	} {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		if got := namesPrivate(u); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
}

// namesLeadTo is a resolver whose DNS server knows every name but nowhere.example,
// and gives them all one address.
func namesLeadTo(t *testing.T, address [4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply, err := dnsReply(buf[:n], address); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func dnsReply(query []byte, address [4]byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	m.Response = true
	m.Additionals = nil
	q := m.Questions[0]
	if strings.HasPrefix(q.Name.String(), "nowhere.") {
		m.RCode = dnsmessage.RCodeNameError
	} else if q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body:   &dnsmessage.AResource{A: address},
		}}
	}
	return m.Pack()
}

func TestNameThatLeadsIntoTheOwnNetwork(t *testing.T) {
	var requests int
	target := serve(t, func(http.ResponseWriter, *http.Request) { requests++ })
	_, port, err := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(target, "http://"), "/hooks/closure"))
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(namesLeadTo(t, [4]byte{127, 0, 0, 1}))
	e := Endpoint{URL: "http://shop.example:" + port + "/", Secrets: []string{NewSecret()}, Private: true}
	if o := c.Send(t.Context(), e, "msg_1", time.Now(), nil); !o.Acknowledged {
		t.Errorf("allowed by the settings: %+v", o)
	}
	e.Private = false // while a connection to the very same host is still open
	o := c.Send(t.Context(), e, "msg_2", time.Now(), nil)
	if o.Acknowledged || o.Ambiguous || requests != 1 {
		t.Errorf("%d requests, %+v", requests, o)
	}
	says(t, o, "127.0.0.1")
	says(t, o, "private: true")
}

func TestUnknownName(t *testing.T) {
	c := newClient(namesLeadTo(t, [4]byte{127, 0, 0, 1}))
	o := send(t, c, "http://nowhere.example/")
	if o.Ambiguous {
		t.Errorf("%+v", o)
	}
	says(t, o, "no host named nowhere.example")
}
