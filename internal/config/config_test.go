package config

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

const whole = `# Harbour Books
shop:
  name: Harbour Books
  url: https://status.harbourbooks.example/where
  timezone: Europe/Lisbon
  contact:
    - {label: E-mail, url: "mailto:orders@harbourbooks.example"}
storefronts:
  web:
    name: Online shop
    url: https://harbourbooks.example
    webhooks:
      - {url: "http://127.0.0.1:9000/hooks/closure", secret: "${WEB_SECRET}", private: yes}
      - url: https://${HOST}/hook
        secrets: ["${WEB_SECRET}", "${OLD_SECRET}"]
  kiosk:
    name: Kiosk
email:
  from: Harbour Books <closures@harbourbooks.example>
  server: smtps://mail.harbourbooks.example
  user: closures
  password: "${MAIL_PASSWORD}"
  connections: 8
  settle: 30s
  remind: [1h, 3d]
  unsubscribe: leave@harbourbooks.example
publishers: []
alerts: [owner@harbourbooks.example]
database: db/ledger.db
listen: 127.0.0.1:8080
public_url: https://closures.harbourbooks.example
trusted_proxies: [127.0.0.1, 10.0.0.0/8, "::1"]
admin: 127.0.0.1:8081
`

const small = "shop:\n  name: A\n  url: https://a.example\n  timezone: UTC\nstorefronts:\n  web:\n    name: B\n"

var secretA = "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
var secretB = "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{2}, 24))

func environment(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func parse(t *testing.T, src string, env ...string) (*Config, strictyaml.Problems) {
	t.Helper()
	c, problems := Parse(t.TempDir(), []byte(src), environment(env...))
	inside(t, []byte(src), problems)
	return c, problems
}

func mustParse(t *testing.T, src string, env ...string) *Config {
	t.Helper()
	c, problems := parse(t, src, env...)
	if c == nil {
		t.Fatalf("%v\nin:\n%s", problems, src)
	}
	return c
}

func TestParseWhole(t *testing.T) {
	c := mustParse(t, whole, "WEB_SECRET", secretA, "OLD_SECRET", secretB, "MAIL_PASSWORD", "pass", "HOST", "shop.example")
	if c.Shop.Name != "Harbour Books" || c.Shop.URL.String() != "https://status.harbourbooks.example/where/" || c.Shop.Location.String() != "Europe/Lisbon" {
		t.Errorf("shop: %+v", c.Shop)
	}
	if want := []notice.Link{{Label: "E-mail", URL: "mailto:orders@harbourbooks.example"}}; !reflect.DeepEqual(c.Shop.Contact, want) {
		t.Errorf("contact: %+v", c.Shop.Contact)
	}
	want := []Storefront{
		{ID: "web", Name: "Online shop", URL: "https://harbourbooks.example", Webhooks: []Webhook{
			{URL: "http://127.0.0.1:9000/hooks/closure", Secrets: []string{secretA}, Private: true},
			{URL: "https://shop.example/hook", Secrets: []string{secretA, secretB}},
		}},
		{ID: "kiosk", Name: "Kiosk"},
	}
	if !reflect.DeepEqual(c.Storefronts, want) {
		t.Errorf("storefronts: %+v", c.Storefronts)
	}
	e := c.Email
	if e.From.Address != "closures@harbourbooks.example" || e.From.Name != "Harbour Books" || e.Server != "mail.harbourbooks.example:465" ||
		e.TLS != Implicit || e.User != "closures" || e.Password != "pass" || e.Connections != 8 || e.Settle != 30*time.Second || e.Unsubscribe != "leave@harbourbooks.example" ||
		!reflect.DeepEqual(e.Remind, []time.Duration{72 * time.Hour, time.Hour}) {
		t.Errorf("email: %+v", e)
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if !reflect.DeepEqual(c.Alerts, []string{"owner@harbourbooks.example"}) || c.Database != filepath.Join(c.Dir, "db/ledger.db") ||
		c.Listen != "127.0.0.1:8080" || c.PublicURL.String() != "https://closures.harbourbooks.example/" || c.Admin != "127.0.0.1:8081" ||
		!reflect.DeepEqual(c.TrustedProxies, proxies) {
		t.Errorf("%+v", c)
	}
	if err := c.NeedSecrets(); err != nil {
		t.Error(err)
	}
}

// TestSubscribe: a form is there where somebody answers it, and can write.
func TestSubscribe(t *testing.T) {
	if c := mustParse(t, whole, "WEB_SECRET", secretA, "OLD_SECRET", secretB, "MAIL_PASSWORD", "pass", "HOST", "shop.example"); c.Subscribe().String() != "https://closures.harbourbooks.example/subscribe" {
		t.Errorf("%v", c.Subscribe())
	}
	const listen, public, mail = "listen: 127.0.0.1:80\n", "public_url: https://a.example/\n", "email:\n  from: a@b.example\n  server: smtp://localhost\n"
	for _, lacking := range []string{"", listen + public, listen + mail, public + mail} {
		if c := mustParse(t, small+lacking); c.Subscribe() != nil {
			t.Errorf("with\n%s: %v", lacking, c.Subscribe())
		}
	}
}

func TestDefaults(t *testing.T) {
	c := mustParse(t, small+"email:\n  from: a@b.example\n  server: smtp://localhost\n")
	if c.Database != filepath.Join(c.Dir, "data", "backsoon.db") || c.Listen != "" || c.Admin != "" || c.PublicURL != nil {
		t.Errorf("%+v", c)
	}
	if e := c.Email; !e.VERP || e.Connections != 4 || e.Settle != time.Minute || !reflect.DeepEqual(e.Remind, []time.Duration{72 * time.Hour}) {
		t.Errorf("%+v", e)
	}
	if c := mustParse(t, small); c.Email != nil {
		t.Errorf("mail without email: %+v", c.Email)
	}
	if c := mustParse(t, small+"email:\n  from: a@b.example\n  server: smtp://localhost\n  remind: []\n"); len(c.Email.Remind) > 0 {
		t.Errorf("reminders although the list is empty: %v", c.Email.Remind)
	}
}

func TestServer(t *testing.T) {
	for server, want := range map[string]string{
		"smtp://mail.example": "mail.example:587 starttls", "smtp://mail.example:25": "mail.example:25 starttls", "smtps://mail.example": "mail.example:465 tls",
		"smtps://127.0.0.1": "127.0.0.1:465 tls", "smtp://127.0.0.1:2525": "127.0.0.1:2525 none", "smtp://localhost": "localhost:25 none", "smtp://[::1]": "[::1]:25 none",
		"smtp://127.0.0.1.example": "127.0.0.1.example:587 starttls",
	} {
		e := mustParse(t, small+"email:\n  from: a@b.example\n  server: "+server+"\n").Email
		if got := e.Server + " " + string(e.TLS); got != want {
			t.Errorf("%s: got %s, want %s", server, got, want)
		}
	}
}

func TestProblems(t *testing.T) {
	webhook := func(keys string) string {
		return small + "    webhooks:\n      - {url: \"https://a.example\", " + keys + "}\n"
	}
	email := func(keys string) string {
		return small + "email:\n  from: a@b.example\n  server: smtp://localhost\n  " + keys + "\n"
	}
	for _, test := range []struct{ name, src, want string }{
		{"empty", "", `1:1: shop is missing; write shop:`},
		{"not YAML", "shop: [\n", `1:7: the [ that opens here is never closed; add ]`},
		{"not UTF-8", "shop: \xff\n", `1:7: this character is not UTF-8`},
		{"too large", strings.Repeat("#", 2<<20), `1:1: the file is larger than it may be (1024 KiB)`},
		{"tab", "shop:\n\tname: x\n", `2:1: the line is indented with a tab; use spaces`},
		{"two documents", small + "---\na: b\n", `8:1: a line of --- begins a second text`},
		{"unknown key", small + "databse: x\n", `8:1: "databse" is not a key here; did you mean database?`},
		{"unknown key within", "shop:\n  nam: x\n", `2:3: "nam" is not a key here; did you mean name?`},
		{"shop as text", "shop: x\n", `1:7: shop: keys and values belong here`},
		{"no zone", strings.Replace(small, "  timezone: UTC\n", "", 1), `2:3: shop.timezone is missing; write timezone: Europe/Lisbon`},
		{"no such zone", strings.Replace(small, "UTC", "Lisbon", 1), `4:13: shop.timezone: "Lisbon" is not a time zone; write one such as Europe/Lisbon`},
		{"the machine's zone", strings.Replace(small, "UTC", "Local", 1), `4:13: shop.timezone: "Local" is not a time zone`},
		{"relative url", strings.Replace(small, "https://a.example", "/status", 1), `3:8: shop.url: "/status" is not an address on the web`},
		{"url with query", strings.Replace(small, "https://a.example", "https://a.example/?b", 1), `3:8: shop.url: an address without ?`},
		{"no storefront", "storefronts: {}\n", `1:14: storefronts: there is none`},
		{"storefront's id", strings.Replace(small, "web:", "Web Shop:", 1), `the name "Web Shop" is part of addresses`},
		{"contact", strings.Replace(small, "storefronts:", "  contact:\n    - {label: x, url: foo}\nstorefronts:", 1), `6:23: shop.contact.url: "foo" is no way to reach you`},
		{"contact as text", strings.Replace(small, "storefronts:", "  contact: [x]\nstorefronts:", 1), `5:13: shop.contact: a label and a url belong here`},
		{"no secret", webhook("private: no"), `secret is missing; write secret: "${WEB_SECRET}"`},
		{"short secret", webhook("secret: whsec_YWJj"), `9:44: storefronts.web.webhooks.secret: is no signing secret; write whsec_ and then what`},
		{"two kinds of secret", webhook("secret: a, secret_file: b"), `secret is there, too; keep one of them`},
		{"secret and secrets", webhook("secret: a, secrets: [b]"), `secret is there, too; keep one of them`},
		{"no secrets", webhook("secrets: []"), `is empty; write secrets: ["${WEB_SECRET}"]`},
		{"webhook's url", small + "    webhooks:\n      - {url: foo, secret: \"${A}\"}\n", `9:15: storefronts.web.webhooks.url: "foo" is not an address on the web`},
		{"webhook twice", webhook(`secret: "${A}"`) + "      - {url: \"https://a.example\", secret: \"${A}\"}\n", `10:15: storefronts.web.webhooks.url: is there already`},
		{"webhook as text", small + "    webhooks: [x]\n", `8:16: storefronts.web.webhooks: a url and a secret belong here`},
		{"environment", small + "listen: ${LISTEN}\n", `8:9: listen: the environment variable LISTEN is not set`},
		{"environment's name", small + "listen: ${1 2}\n", `8:9: listen: ${ begins the name of an environment variable`},
		{"environment, never closed", small + "listen: ${LISTEN\n", `8:9: listen: ${ begins the name of an environment variable`},
		{"from", small + "email:\n  from: nobody\n  server: smtp://localhost\n", `9:9: email.from: "nobody" is not an e-mail address; write Harbour Books <closures@`},
		{"no server", small + "email:\n  from: a@b.example\n", `9:3: email.server is missing; write server: smtp://`},
		{"server", strings.Replace(email(""), "smtp://localhost", "mail.example", 1), `10:11: email.server: is not the address of a mail server`},
		{"server with user", strings.Replace(email(""), "smtp://localhost", "smtp://u:p@mail.example", 1), `write user: and password: in lines of their own`},
		{"server's port", strings.Replace(email(""), "smtp://localhost", "smtp://localhost:70000", 1), `there is no port 70000`},
		{"user alone", email("user: x"), `user and password go together`},
		{"password alone", email("password: x"), `user and password go together`},
		{"no rate", email("rate: 0"), `11:9: email.rate: "0" is not a number of mails in a second; write rate: 10`},
		{"rate of not a number", email("rate: NaN"), `11:9: email.rate: "NaN" is not a number of mails in a second`},
		{"no connections", email("connections: 0"), `11:16: email.connections: "0" is not a number from 1 to 64`},
		{"settle too long", email("settle: 11m"), `11:11: email.settle: "11m" is not a time from 0s to 10m`},
		{"settle without a unit", email("settle: 60"), `"60" is not a time`},
		{"where to leave", email("unsubscribe: yes"), `11:16: email.unsubscribe: "yes" is not an e-mail address; write leave@harbourbooks.example`},
		{"remind as text", email("remind: off"), `11:11: email.remind: a list belongs here; write remind: [72h], or remind: []`},
		{"remind", email("remind: [soon]"), `11:12: email.remind: "soon" is not a time from 1m to 365d`},
		{"remind twice", email("remind: [72h, 3d]"), `11:17: email.remind: "3d" is there already`},
		{"return path", email("return_path: bounces@b.example"), `11:16: email.return_path: "bounces@b.example" is neither on nor off; write return_path: off`},
		{"from a mailbox nobody can have", small + "email:\n  from: Shop <jürgen@b.example>\n  server: smtp://localhost\n", `9:9: email.from: "Shop <jürgen@b.example>" has other letters than a-z before the @`},
		{"from this machine", small + "email:\n  from: root@localhost\n  server: smtp://localhost\n", `9:9: email.from: "root@localhost" has no dot behind the @; write the whole address`},
		{"from a long name", small + "email:\n  from: " + strings.Repeat("x", 201) + " <a@b.example>\n  server: smtp://localhost\n", `9:9: email.from: has 201 characters; a name may have 200`},
		{"a long name", strings.Replace(small, "name: A", "name: "+strings.Repeat("é", 201), 1), `2:9: shop.name: has 201 characters; a name may have 200: write Harbour Books`},
		{"a name in two lines", strings.Replace(small, "name: B", `name: "B\nC"`, 1), `7:11: storefronts.web.name: one line belongs here`},
		{"a long url", strings.Replace(small, "https://a.example", "https://a.example/"+strings.Repeat("x", 2000), 1), `3:8: shop.url: has 2018 characters; an address may have 2000`},
		{"no port", strings.Replace(small, "https://a.example", "https://a.example:99999/", 1), `3:8: shop.url: there is no port 99999; write one from 1 to 65535, or none`},
		{"no host", strings.Replace(small, "https://a.example", "https://a<b>/", 1), `3:8: shop.url: "https://a<b>/" is not an address on the web`},
		{"no international host", strings.Replace(small, "https://a.example", "https://bü_cher.example/", 1), `3:8: shop.url: "https://bü_cher.example/" is not an address on the web`},
		{"alerts", small + "alerts: [x]\n", `8:10: alerts: "x" is not an e-mail address; write [owner@`},
		{"postgres", small + "database: postgres:///x\n", `8:11: database: is no address of a database; write postgres://`},
		{"two databases", small + "database: x\ndatabase_file: y\n", `9:16: database_file: database is there, too; keep one of them`},
		{"mysql", small + "database: mysql://localhost/x\n", `8:11: database: a path belongs here, or an address of PostgreSQL`},
		{"listen", small + "listen: localhost\n", `8:9: listen: "localhost" is not a host and port; write listen: 127.0.0.1:8080`},
		{"port", small + "admin: 127.0.0.1:http\n", `8:8: admin: "127.0.0.1:http" is not a host and port`},
		{"one port for both", small + "listen: :80\nadmin: :80\n", `9:8: admin: customers reach :80 (listen)`},
		{"proxies", small + "trusted_proxies: [proxy.example]\n", `8:19: trusted_proxies: "proxy.example" is neither an address nor a network`},
		{"alias", small + "listen: *x\n", `8:9: a text cannot begin with * here`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, problems := parse(t, test.src)
			if c != nil || !strings.Contains(problems.Error(), test.want) || !strings.HasPrefix(problems.Error(), "backsoon.yaml:") {
				t.Errorf("got  %v\nwant %s", problems, test.want)
			}
		})
	}
}

// TestInternationalNames: mail headers, feeds and DNS want the xn-- form.
func TestInternationalNames(t *testing.T) {
	src := strings.Replace(small, "https://a.example", "https://Bücher.example:8443/status", 1) +
		"    url: https://bücher.example\n    webhooks: [{url: \"http://shop_backend:9000/hook\", secret: \"${A}\"}]\n" +
		"email:\n  from: Bücher <closures@bücher.example>\n  server: smtp://mail.bücher.example\nalerts: [ann@bücher.example]\n"
	c := mustParse(t, src, "A", secretA)
	for _, pair := range [][2]string{
		{c.Shop.URL.String(), "https://xn--bcher-kva.example:8443/status/"},
		{c.Storefronts[0].URL, "https://xn--bcher-kva.example"},
		{c.Storefronts[0].Webhooks[0].URL, "http://shop_backend:9000/hook"},
		{c.Email.From.Name, "Bücher"},
		{c.Email.From.Address, "closures@xn--bcher-kva.example"},
		{c.Email.Server, "mail.xn--bcher-kva.example:587"},
		{strings.Join(c.Alerts, " "), "ann@xn--bcher-kva.example"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("got %q, want %q", pair[0], pair[1])
		}
	}
}

// TestBothChosenBySystem: port 0 is another one each time.
func TestBothChosenBySystem(t *testing.T) {
	if c := mustParse(t, small+"listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\n"); c.Admin != c.Listen {
		t.Errorf("%s, %s", c.Admin, c.Listen)
	}
}

func TestClosureURL(t *testing.T) {
	shop := mustParse(t, strings.Replace(small, "https://a.example", "https://a.example/now", 1)).Shop
	if got := shop.ClosureURL("flood").String(); got != "https://a.example/now/closures/flood/" {
		t.Error(got)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, problems := parse(t, "shop: {name: '', url: x, timezone: y}\nstorefronts: {}\nlisten: z\nadmn: x\n")
	if len(problems) != 6 {
		t.Errorf("6 mistakes gave %d problems:\n%v", len(problems), problems)
	}
}

func TestAlertsWithoutMail(t *testing.T) {
	c, problems := parse(t, small+"alerts: [a@b.example]\n")
	if c == nil || len(problems) != 1 || !problems[0].Warning {
		t.Errorf("%v", problems)
	}
}

func TestUnsetSecrets(t *testing.T) {
	c := mustParse(t, whole, "OLD_SECRET", secretB, "HOST", "shop.example", "WEB_SECRET_2", "x")
	want := []string{
		"WEB_SECRET is not set; storefront web needs it", "MAIL_PASSWORD is not set; mail needs it",
	}
	if !reflect.DeepEqual(c.Unset, want) {
		t.Errorf("got %q", c.Unset)
	}
	if got := c.Storefronts[0].Webhooks; len(got[0].Secrets) != 0 || !reflect.DeepEqual(got[1].Secrets, []string{secretB}) {
		t.Errorf("%+v", got)
	}
	if err := c.NeedSecrets(); err == nil || !strings.Contains(err.Error(), want[0]) || !strings.Contains(err.Error(), want[1]) {
		t.Errorf("NeedSecrets: %v", err)
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"web": secretA + "\n", "mail": "pass word\r\n", "empty": "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src := func(web, mail string) []byte {
		return []byte(small + "    webhooks:\n      - {url: \"https://a.example\", secret_file: " + web + "}\n" +
			"email:\n  from: a@b.example\n  server: smtp://localhost\n  user: x\n  password_file: " + mail + "\n")
	}
	c, problems := Parse(dir, src("web", filepath.Join(dir, "mail")), environment())
	if problems.Err() != nil || c.NeedSecrets() != nil || c.Storefronts[0].Webhooks[0].Secrets[0] != secretA || c.Email.Password != "pass word" {
		t.Errorf("%v, %+v", problems, c)
	}
	c, problems = Parse(dir, src("gone", "empty"), environment())
	want := []string{"the file gone cannot be read; storefront web needs it", "the file empty is empty; mail needs it"}
	if problems.Err() != nil || !reflect.DeepEqual(c.Unset, want) {
		t.Errorf("%v, %+v", problems, c)
	}
}

// TestSecretsAreNeverShown: problems end up in logs and mails.
func TestSecretsAreNeverShown(t *testing.T) {
	const secret = "hunter2-hunter2"
	for _, keys := range []string{
		`secret: ` + secret, `secret: "${A}"`, `secrets: [` + secret + `]`, `secret: {` + secret + `: x}`, `secret: [` + secret + `]`, `secret: !` + secret,
	} {
		_, problems := parse(t, small+"    webhooks:\n      - {url: \"https://a.example\", "+keys+"}\n", "A", secret)
		if len(problems) == 0 || strings.Contains(problems.Error(), secret) {
			t.Errorf("%s: %v", keys, problems)
		}
	}
	_, problems := parse(t, small+"email:\n  password: a: "+secret+"\n")
	if len(problems) == 0 || strings.Contains(problems.Error(), secret) {
		t.Error(problems)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(dir); err == nil || err.Error() != "no backsoon.yaml in "+dir+"; run backsoon init "+dir {
		t.Errorf("without settings: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, File), []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(dir, "content", "closures")
	if _, err := Load(below); err == nil || err.Error() != "no backsoon.yaml in "+below+"; it is in "+dir+": go there, or write --site "+dir {
		t.Errorf("within a site: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, File)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "real.yaml"), []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.yaml", filepath.Join(dir, File)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOST", "shop.example")
	c, err := Load(dir)
	if err != nil || c.Dir != dir || len(c.Unset) != 3 {
		t.Errorf("%v, %+v", err, c)
	}
	if err := os.WriteFile(filepath.Join(dir, "real.yaml"), []byte("shop: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(dir); err == nil || c != nil || !strings.Contains(err.Error(), "backsoon.yaml:1:7: shop.name is missing") {
		t.Errorf("%v, %v", c, err)
	}
}

func TestDatabase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "address"), []byte("postgres://x:y@db/z\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ line, want, unset, lock string }{
		{"", filepath.Join(dir, "data/backsoon.db"), "", "data/backsoon.db"},
		{"database: ledger/${NAME}.db", filepath.Join(dir, "ledger/shop.db"), "", "ledger/shop.db"},
		{"database: postgres://x:${NAME}@db/z", "postgres://x:shop@db/z", "", "data/watcher"},
		{"database: postgres://x:${MISSING}@db/z", "", "MISSING is not set; the ledger needs it", "data/watcher"},
		{"database_file: address", "postgres://x:y@db/z", "", "data/watcher"},
		{"database_file: nowhere", "", "the file nowhere cannot be read; the ledger needs it", "data/watcher"},
	} {
		c, problems := Parse(dir, []byte(small+test.line+"\n"), environment("NAME", "shop"))
		if problems.Err() != nil {
			t.Errorf("%q: %v", test.line, problems)
			continue
		}
		if c.Database != test.want || strings.Join(c.Unset, "") != test.unset || c.Lock() != filepath.Join(dir, test.lock) {
			t.Errorf("%q: %q, %q, %q", test.line, c.Database, c.Unset, c.Lock())
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{whole, small, "", "shop:\n\tname: x", "a: &b [*b]\n", "shop: {name: \"${X}\"}\n", "---\n" + small, "\ufeff" + small, "? a\n: b\n"} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, src []byte) {
		c, problems := Parse(dir, src, environment("HOST", "shop.example"))
		inside(t, src, problems)
		if (c == nil) != (problems.Err() != nil) {
			t.Fatalf("settings %v with problems:\n%v", c, problems)
		}
		if c != nil && (c.Shop.URL == nil || c.Shop.Location == nil || c.Shop.Name == "" || len(c.Storefronts) == 0 || !filepath.IsAbs(c.Database) && !strings.HasPrefix(c.Database, "postgres") && len(c.Unset) == 0) {
			t.Fatalf("accepted, but not whole: %+v", c)
		}
	})
}

// inside checks that an editor can jump to each problem.
func inside(t *testing.T, src []byte, problems strictyaml.Problems) {
	t.Helper()
	lines := bytes.Split(src, []byte("\n"))
	for _, p := range problems {
		if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > utf8.RuneCount(lines[p.Line-1])+1 || strings.Contains(p.Text, "\n") {
			t.Fatalf("outside of the file, or not one line: %v", p)
		}
	}
}
