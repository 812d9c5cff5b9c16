package main

import "net"

// listeners are what the demo listens on, all on loopback.
type listeners struct{ screen, shop, status, mailbox, smtp, customers, operator net.Listener }

// addresses are where they are reached: the first four and customers on the web,
// with a trailing slash; the others as host:port.
type addresses struct{ screen, shop, status, mailbox, smtp, customers, operator string }

// listenForDemo takes the sample's own ports, and others where those are in use.
func listenForDemo() (l listeners, err error) {
	for _, want := range []struct {
		listener *net.Listener
		port     string
	}{{&l.screen, "8090"}, {&l.shop, "9000"}, {&l.status, "8000"}, {&l.mailbox, "8025"}, {&l.smtp, "2525"}, {&l.customers, "8080"}, {&l.operator, "8081"}} {
		*want.listener, err = listen("127.0.0.1:" + want.port)
		if err != nil {
			*want.listener, err = listen("127.0.0.1:0")
		}
		if err != nil {
			l.close()
			return l, err
		}
	}
	return l, nil
}

func (l listeners) close() {
	for _, each := range []net.Listener{l.screen, l.shop, l.status, l.mailbox, l.smtp, l.customers, l.operator} {
		if each != nil {
			each.Close()
		}
	}
}

func (l listeners) addresses() addresses {
	web := func(l net.Listener) string { return "http://" + l.Addr().String() + "/" }
	return addresses{web(l.screen), web(l.shop), web(l.status), web(l.mailbox), l.smtp.Addr().String(), web(l.customers), l.operator.Addr().String()}
}
