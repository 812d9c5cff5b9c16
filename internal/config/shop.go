package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

func readShop(v strictyaml.Value) Shop {
	needMap(v, "name: Harbour Books")
	v.Only("name", "url", "timezone", "contact")
	v.Need("name", "Harbour Books")
	v.Need("url", "https://status.harbourbooks.example/")
	v.Need("timezone", "Europe/Lisbon, or America/New_York, Australia/Sydney, …")
	shop := Shop{
		Name:     readName(v.Get("name"), "Harbour Books"),
		URL:      readBase(v.Get("url"), "https://status.harbourbooks.example/"),
		Location: readLocation(v.Get("timezone")),
	}
	for _, item := range v.Get("contact").List(`{label: E-mail, url: "mailto:orders@harbourbooks.example"}`) {
		if !item.IsMap() {
			item.Errorf(`a label and a url belong here; write - {label: E-mail, url: "mailto:orders@harbourbooks.example"}`)
			continue
		}
		shop.Contact = append(shop.Contact, notice.ReadLink(item))
	}
	return shop
}

// needMap reports a value that is there, but is no keys and values.
func needMap(v strictyaml.Value, example string) { v.Entries(example) }

// readName reads a text of one line that has to say something.
func readName(v strictyaml.Value, example string) string {
	text, ok := v.Text(example)
	if text = strings.TrimSpace(text); ok && text == "" {
		v.Errorf("is empty; write %s", example)
	}
	checkName(v, text, example)
	return text
}

// maxName is the most characters of a name: it stands in the subject of mails
// and on buttons.
const maxName = 200

func checkName(v strictyaml.Value, name, example string) {
	switch length := utf8.RuneCountInString(name); {
	case strings.ContainsFunc(name, unicode.IsControl):
		v.Errorf("one line belongs here, without tabs; write %s", example)
	case length > maxName:
		v.Errorf("has %d characters; a name may have %d: write %s", length, maxName, example)
	}
}

// readLocation never guesses: a closure in the machine's zone would be wrong by
// hours, and nobody would see it before the day.
func readLocation(v strictyaml.Value) *time.Location {
	text, ok := v.Text("Europe/Lisbon")
	if !ok {
		return time.UTC
	}
	loc, err := time.LoadLocation(text)
	if err != nil || text == "" || text == "Local" {
		v.Errorf("%q is not a time zone; write one such as Europe/Lisbon, America/New_York or UTC", strictyaml.Clip(text))
		return time.UTC
	}
	return loc
}

// readLanguages reads the languages of the pages.
func readLanguages(v strictyaml.Value) []string {
	const example = "[en, pt]"
	if v.IsList() && len(v.List("en")) == 0 {
		v.Errorf("the list is empty; write languages: %s, the notices' own language first, or leave the line out", example)
	}
	var tags []string
	for _, item := range v.List("en") {
		tag, ok := item.Text(example)
		switch {
		case !ok:
		case !slices.Contains(locale.Tags(), tag):
			item.Errorf("%q is none of the languages that there are words for: %s", strictyaml.Clip(tag), strings.Join(locale.Tags(), ", "))
		case slices.Contains(tags, tag):
			item.Errorf("%q is written twice; keep one of them", tag)
		default:
			tags = append(tags, tag)
		}
	}
	return tags
}

// readBase reads an address under which pages stand; it gets a trailing slash.
func readBase(v strictyaml.Value, example string) *url.URL {
	u := readURL(v, example)
	if u == nil {
		return nil
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		v.Errorf("an address without ?, # and user name belongs here; write %s", example)
	}
	if !strings.HasSuffix(u.Path, "/") {
		return u.JoinPath("/")
	}
	return u
}

// maxURL is the most characters of an address: all that it is put in takes that.
const maxURL = 2000

// readURL reads an absolute http or https address; nil when there is none.
func readURL(v strictyaml.Value, example string) *url.URL {
	text, ok := v.Text(example)
	if !ok {
		return nil
	}
	u, err := parseURL(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		v.Errorf("%q is not an address on the web; write %s", strictyaml.Clip(text), example)
		return nil
	}
	if port := u.Port(); port != "" {
		checkPort(v, port)
	}
	if length := len(u.String()); length > maxURL {
		v.Errorf("has %d characters; an address may have %d: write a shorter one", length, maxURL)
	}
	return u
}

func checkPort(v strictyaml.Value, port string) {
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		v.Errorf("there is no port %s; write one from 1 to 65535, or none", strictyaml.Clip(port))
	}
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,253}$`)

// parseURL parses an address that has a host. An international name becomes what
// DNS, mail headers and webhooks know it by (xn--…, RFC 5891).
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return u, nil
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return nil, err
		}
		u.Host = host + strings.TrimPrefix(u.Host, u.Hostname()) // and its port
	}
	if !hostName.MatchString(host) {
		return nil, fmt.Errorf("%q is no host", host)
	}
	return u, nil
}

var storefrontID = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

func (r *reader) storefronts(v strictyaml.Value) []Storefront {
	const example = "web: {name: Online shop}"
	entries := v.Entries(example)
	if v.IsMap() && len(entries) == 0 {
		v.Errorf("there is none; write at least one, such as %s", example)
	}
	var storefronts []Storefront
	for _, e := range entries {
		if !storefrontID.MatchString(e.Key) {
			e.Value.Errorf("the name %q is part of addresses; use a-z, 0-9 and -, at most 40 of them", strictyaml.Clip(e.Key))
		}
		storefronts = append(storefronts, r.storefront(e.Key, e.Value))
	}
	return storefronts
}

func (r *reader) storefront(id string, v strictyaml.Value) Storefront {
	needMap(v, "name: Online shop")
	v.Only("name", "url", "webhooks")
	s := Storefront{ID: id, Name: id}
	if name := v.Get("name"); name.Present() {
		s.Name = readName(name, "Online shop")
	}
	if u := readURL(v.Get("url"), "https://harbourbooks.example"); u != nil {
		s.URL = u.String()
	}
	for _, item := range v.Get("webhooks").List(`{url: "https://…", secret: "${WEB_SECRET}"}`) {
		w := r.webhook(item, "storefront "+id)
		if slices.ContainsFunc(s.Webhooks, func(other Webhook) bool { return other.URL == w.URL }) && w.URL != "" {
			item.Get("url").Errorf("is there already; one webhook an address is enough")
		}
		s.Webhooks = append(s.Webhooks, w)
	}
	return s
}

func (r *reader) webhook(v strictyaml.Value, user string) Webhook {
	const example = "https://harbourbooks.example/hooks/closure"
	if !v.IsMap() {
		v.Errorf(`a url and a secret belong here; write - {url: %q, secret: "${WEB_SECRET}"}`, example)
		return Webhook{}
	}
	v.Only("url", "secret", "secret_file", "secrets", "private")
	v.Need("url", example)
	w := Webhook{Secrets: r.secrets(v, user)}
	if u := readURL(v.Get("url"), example); u != nil {
		w.URL = u.String()
	}
	w.Private, _ = v.Get("private").Bool()
	return w
}
