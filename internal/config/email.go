package config

import (
	"net"
	"net/mail"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/address"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

const day = 24 * time.Hour

func (r *reader) email(v strictyaml.Value) *Email {
	if !v.Present() {
		return nil
	}
	needMap(v, "from: Harbour Books <closures@harbourbooks.example>")
	v.Only("from", "server", "user", "password", "password_file", "connections", "rate", "settle", "remind", "unsubscribe", "dkim", "return_path")
	v.Need("from", "Harbour Books <closures@harbourbooks.example>")
	v.Need("server", "smtp://mail.harbourbooks.example")
	e := &Email{Connections: readConnections(v.Get("connections"))}
	if a := readAddress(v.Get("from"), "Harbour Books <closures@harbourbooks.example>"); a != nil {
		e.From = *a
	}
	e.Server, e.TLS = readServer(v.Get("server"))
	e.Rate = readRate(v.Get("rate"))
	e.Settle = readSettle(v.Get("settle"))
	e.Remind = readRemind(v.Get("remind"))
	if a := readAddress(v.Get("unsubscribe"), "leave@harbourbooks.example"); a != nil {
		e.Unsubscribe = a.Address
	}
	e.VERP = readReturnPath(v.Get("return_path"))
	e.User, e.Password = r.login(v)
	_, domain, _ := strings.Cut(e.From.Address, "@")
	e.DKIM = r.dkim(v.Get("dkim"), domain)
	return e
}

// readReturnPath tells whether the envelope's sender names the recipient.
func readReturnPath(v strictyaml.Value) bool {
	text, ok := v.Text("off")
	if ok && text != "on" && text != "off" {
		v.Errorf("%q is neither on nor off; write return_path: off where the mail server refuses senders such as closures+ada=example.org@…, or leave the line out",
			strictyaml.Clip(text))
	}
	return !ok || text == "on"
}

func (r *reader) login(v strictyaml.Value) (user, password string) {
	user, _ = v.Get("user").Text("closures")
	has := v.Get("password").Present() || v.Get("password_file").Present()
	if has != v.Get("user").Present() {
		v.Errorf(`user and password go together; write both, the password as in password: "${MAIL_PASSWORD}", or neither`)
	}
	return user, r.secret(v, "password", "mail")
}

// readAddress reads an address with or without a name before it.
func readAddress(v strictyaml.Value, example string) *mail.Address {
	text, ok := v.Text(example)
	if !ok {
		return nil
	}
	a, err := mail.ParseAddress(text)
	if err != nil {
		v.Errorf("%q is not an e-mail address; write %s", strictyaml.Clip(text), example)
		return nil
	}
	if a.Address, err = address.Read(a.Address); err != nil {
		v.Errorf("%q %v", strictyaml.Clip(text), err)
	}
	checkName(v, a.Name, example)
	return a
}

func readAddresses(v strictyaml.Value) []string {
	var addresses []string
	for _, item := range v.List("owner@harbourbooks.example") {
		if a := readAddress(item, "[owner@harbourbooks.example]"); a != nil {
			addresses = append(addresses, a.Address)
		}
	}
	return addresses
}

// readServer reads smtp://host or smtps://host, with a port or the usual one:
// RFC 6409 says 587, RFC 8314 says 465 for TLS from the first byte; on this
// machine it is 25.
func readServer(v strictyaml.Value) (server string, tls TLSMode) {
	const example = "smtp://mail.harbourbooks.example, or smtps://…"
	text, ok := v.Text(example)
	if !ok {
		return "", ""
	}
	u, err := parseURL(text)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" {
		v.Errorf("is not the address of a mail server; write server: %s", example)
		return "", ""
	}
	if u.User != nil {
		v.Errorf("the user's name doesn't belong in the address; write user: and password: in lines of their own")
	}
	port := "587"
	tls = StartTLS
	switch {
	case u.Scheme == "smtps":
		tls, port = Implicit, "465"
	case isLoopback(u.Hostname()):
		tls, port = NoTLS, "25"
	}
	if u.Port() != "" {
		port = u.Port()
	}
	checkPort(v, port)
	return net.JoinHostPort(u.Hostname(), port), tls
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func readConnections(v strictyaml.Value) int {
	text, ok := v.Text("4")
	if !ok {
		return 4
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 64 {
		v.Errorf("%q is not a number from 1 to 64; write connections: 4", strictyaml.Clip(text))
	}
	return n
}

// readRate reads how many messages may go out in a second.
func readRate(v strictyaml.Value) float64 {
	text, ok := v.Text("10")
	if !ok {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0.01 && n <= 10_000) {
		v.Errorf("%q is not a number of mails in a second; write rate: 10, or leave the line out for as many as the mail server takes", strictyaml.Clip(text))
		return 0
	}
	return n
}

func readSettle(v strictyaml.Value) time.Duration {
	const most = 10 * time.Minute // what a mail waits in all
	text, ok := v.Text("60s")
	if !ok {
		return time.Minute
	}
	d, ok := parseDuration(text)
	if !ok || d < 0 || d > most {
		v.Errorf("%q is not a time from 0s to 10m; write settle: 60s", strictyaml.Clip(text))
	}
	return d
}

// readRemind gives the times before closing, longest first.
func readRemind(v strictyaml.Value) []time.Duration {
	if !v.Present() {
		return []time.Duration{72 * time.Hour}
	}
	if !v.IsList() {
		v.Errorf("a list belongs here; write remind: [72h], or remind: [] for no reminder")
		return nil
	}
	var times []time.Duration
	for _, item := range v.List("72h") {
		text, ok := item.Text("[72h]")
		if !ok {
			continue
		}
		d, ok := parseDuration(text)
		switch {
		case !ok || d < time.Minute || d > 365*day:
			item.Errorf("%q is not a time from 1m to 365d; write remind: [72h], or remind: [] for no reminder", strictyaml.Clip(text))
		case slices.Contains(times, d):
			item.Errorf("%q is there already; keep one of them", text)
		default:
			times = append(times, d)
		}
	}
	slices.SortFunc(times, func(a, b time.Duration) int { return int(b/time.Second) - int(a/time.Second) })
	return times
}

var days = regexp.MustCompile(`^\d{1,4}d$`)

// parseDuration reads what time.ParseDuration does, and whole days of 24 hours: 3d.
func parseDuration(text string) (time.Duration, bool) {
	if days.MatchString(text) {
		n, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
		return time.Duration(n) * day, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}
