// Package config reads a site's settings, backsoon.yaml, strictly: an unknown
// key is an error with its line, and nothing has a meaning that isn't written
// there.
package config

import (
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
)

// Config is a site's settings, checked and with every default filled in.
type Config struct {
	Dir            string // the site's folder, absolute
	Source         []byte // the file's bytes, as they were read
	Shop           Shop
	Languages      []string // of the pages, the notices' own first; empty: see LanguagesOf
	Theme          Theme
	Storefronts    []Storefront  // in the file's order
	Email          *Email        // nil: the site sends no mail
	Publishers     []Publisher   // whose signatures count; none: whoever can write the folder may publish
	Needs          map[Right]int // how many different people have to sign, where it is more than one
	Alerts         []string      // who hears of refusals, failures and overdue reopenings
	Database       string        // an absolute path, or postgres://…, which has a password; empty: see Unset
	Listen         string        // host:port for customers; empty: no listener
	PublicURL      *url.URL      // where customers reach Listen, with a trailing slash; nil: not said
	TrustedProxies []netip.Prefix
	Admin          string // host:port for the operator; empty: none

	// Unset names each secret that could not be read (an environment variable
	// that isn't set, a file that isn't there). It is an error only for what
	// needs the secret: a site can be built where its secrets are not.
	Unset []string
}

// Shop is the shop itself.
type Shop struct {
	Name     string
	URL      *url.URL // where public/ is served, with a trailing slash; may have a path
	Location *time.Location
	Contact  []notice.Link
}

// ClosureURL is the address of the closure's page in the notices' own language.
func (s Shop) ClosureURL(slug string) *url.URL { return s.URL.JoinPath("closures", slug+"/") }

// Storefront is one place where the shop sells, with its own checkout.
type Storefront struct {
	ID, Name, URL string
	Webhooks      []Webhook
}

// Webhook is one endpoint of a storefront.
type Webhook struct {
	URL     string
	Secrets []string // whsec_…; several sign side by side during a rotation
	Private bool     // the host may resolve to a private address
}

// Email says how mail goes out.
type Email struct {
	From           mail.Address
	Server         string // host:port
	TLS            TLSMode
	User, Password string
	Connections    int
	Rate           float64         // messages a second at most; 0: as many as the server takes
	Settle         time.Duration   // how long a notice must be quiet before mail goes out
	Remind         []time.Duration // before closing, longest first
	Unsubscribe    string          // where a mail leaves the list; empty: at From
	VERP           bool            // the envelope's sender names the recipient, so that a bounce does
	DKIM           []Signature     // one for each key that signs the mail
}

// TLSMode is how a connection to the mail server is protected.
type TLSMode string

// The ways to protect a connection to the mail server.
const (
	StartTLS TLSMode = "starttls" // smtp:// to another machine: required
	Implicit TLSMode = "tls"      // smtps://
	NoTLS    TLSMode = "none"     // smtp:// on loopback
)

// Subscribe is where the form goes of those who want mail: nil where nobody would
// answer it, or there is no mail to send.
func (c *Config) Subscribe() *url.URL {
	if c.Email == nil || c.Listen == "" || c.PublicURL == nil {
		return nil
	}
	return c.PublicURL.JoinPath("subscribe")
}

// Language is the one that the notices are written in.
func (c *Config) Language() string {
	if len(c.Languages) > 0 {
		return c.Languages[0]
	}
	return locale.Default
}

// Home is where the pages in a language begin: each but the first has a folder of
// its own.
func (c *Config) Home(language string) *url.URL {
	if language == c.Language() {
		return c.Shop.URL
	}
	return c.Shop.URL.JoinPath(language + "/")
}

// ClosureURL is the address of the closure's page in a language.
func (c *Config) ClosureURL(language, slug string) *url.URL {
	return c.Home(language).JoinPath("closures", slug+"/")
}

// LanguagesOf lists the languages in which a site with these notices has pages,
// the notices' own first: those of the settings, or where these name none, all
// that a notice has been translated into.
func (c *Config) LanguagesOf(notices []*notice.Notice) []string {
	if len(c.Languages) > 0 {
		return c.Languages
	}
	var others []string
	for _, n := range notices {
		for _, t := range n.Translations {
			if t.Language != c.Language() && !slices.Contains(others, t.Language) {
				others = append(others, t.Language)
			}
		}
	}
	slices.Sort(others)
	return append([]string{c.Language()}, others...)
}

// Surroundings is what notices are held to.
func (c *Config) Surroundings() notice.Surroundings {
	languages := c.Languages
	if len(languages) == 0 {
		others := slices.DeleteFunc(locale.Tags(), func(tag string) bool { return tag == c.Language() })
		languages = append([]string{c.Language()}, others...)
	}
	return notice.Surroundings{Location: c.Shop.Location, Storefronts: c.StorefrontIDs(), Languages: languages}
}

// Storefront gives the storefront with that id.
func (c *Config) Storefront(id string) (Storefront, bool) {
	for _, s := range c.Storefronts {
		if s.ID == id {
			return s, true
		}
	}
	return Storefront{}, false
}

// StorefrontIDs lists the storefronts' ids in the file's order.
func (c *Config) StorefrontIDs() []string {
	ids := make([]string, len(c.Storefronts))
	for i, s := range c.Storefronts {
		ids[i] = s.ID
	}
	return ids
}
