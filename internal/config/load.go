package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

// File is the name of the settings in a site's folder.
const File = "backsoon.yaml"

// maxSize is the most that settings and a file with a secret may hold, in bytes.
const maxSize = 1 << 20

// Load reads the settings of the site in dir. The error is strictyaml.Problems
// where the file can be read but not be used; it then lists all that is wrong.
func Load(dir string) (*Config, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	src, err := Read(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nowhere(dir)
	}
	if err != nil {
		return nil, err
	}
	c, problems := Parse(dir, src, os.LookupEnv)
	return c, problems.Err()
}

// nowhere says that dir is no site, and where there is one: whoever looks after
// notices is easily in their folder.
func nowhere(dir string) error {
	for above := filepath.Dir(dir); above != filepath.Dir(above); above = filepath.Dir(above) {
		if _, err := os.Stat(filepath.Join(above, File)); err == nil {
			return fmt.Errorf("no %s in %s; it is in %s: go there, or write --site %s", File, dir, above, above)
		}
	}
	return fmt.Errorf("no %s in %s; run backsoon init %s", File, dir, dir)
}

// Read gives the bytes of the settings of the site in dir, one more than they may have
// at most. What is no regular file, and could keep the reader waiting, is an error.
func Read(dir string) ([]byte, error) {
	name := filepath.Join(dir, File)
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file with text in it; put one in its place", name)
	}
	return readFile(name)
}

// readFile reads one byte more than a file may have, at most.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSize+1))
}

// Parse reads settings from src as those of the site in dir, an absolute path:
// relative paths, of the database or a file with a secret, begin there. getenv
// looks up what ${NAME} stands for. The Config is nil when one of the problems is
// an error.
func Parse(dir string, src []byte, getenv func(string) (string, bool)) (*Config, strictyaml.Problems) {
	report := strictyaml.NewReport(File, src)
	if !strictyaml.CheckText(report, src, maxSize) {
		return nil, report.Problems()
	}
	root, ok := strictyaml.Parse(report, src, 1)
	if !ok {
		return nil, report.Problems()
	}
	r := reader{dir: dir, getenv: getenv}
	c := r.config(root.Expand(r.expand))
	if problems := report.Problems(); problems.Err() != nil {
		return nil, problems
	}
	c.Source, c.Unset = src, r.unset
	return c, report.Problems()
}

// Around reads what notices are held to from settings that can't be used; not ok
// where that is wrong itself.
func Around(dir string) (around notice.Surroundings, ok bool) {
	src, err := Read(dir)
	if err != nil {
		return around, false
	}
	report := strictyaml.NewReport(File, src)
	root, ok := strictyaml.Parse(report, src, 1)
	if !ok {
		return around, false
	}
	zone := root.Get("shop").Get("timezone")
	c := &Config{Languages: readLanguages(root.Get("languages")), Shop: Shop{Location: readLocation(zone)}}
	for _, e := range root.Get("storefronts").Entries("web: {name: Online shop}") {
		c.Storefronts = append(c.Storefronts, Storefront{ID: e.Key})
	}
	return c.Surroundings(), zone.Present() && len(c.Storefronts) > 0 && report.Problems().Err() == nil
}

// NeedSecrets is an error when a secret could not be read: for what delivers, not
// for what only reads or builds.
func (c *Config) NeedSecrets() error {
	if len(c.Unset) == 0 {
		return nil
	}
	return errors.New(strings.Join(c.Unset, "; "))
}

// reader reads one site's settings.
type reader struct {
	dir    string
	getenv func(string) (string, bool)
	unset  []string // see Config.Unset
}

func (r *reader) config(root strictyaml.Value) *Config {
	root.Only("shop", "languages", "theme", "storefronts", "email", "publishers", "needs", "alerts", "database", "database_file",
		"listen", "public_url", "trusted_proxies", "admin")
	root.Need("shop", "and below it, indented, name, url and timezone")
	root.Need("storefronts", "and below it, indented, web: {name: Online shop}")
	c := &Config{
		Dir:            r.dir,
		Shop:           readShop(root.Get("shop")),
		Languages:      readLanguages(root.Get("languages")),
		Theme:          r.theme(root.Get("theme")),
		Storefronts:    r.storefronts(root.Get("storefronts")),
		Email:          r.email(root.Get("email")),
		Alerts:         readAddresses(root.Get("alerts")),
		Database:       r.database(root),
		Listen:         readHostPort(root.Get("listen"), "127.0.0.1:8080"),
		PublicURL:      readBase(root.Get("public_url"), "https://closures.harbourbooks.example/"),
		TrustedProxies: readPrefixes(root.Get("trusted_proxies")),
		Admin:          readHostPort(root.Get("admin"), "127.0.0.1:8081"),
	}
	c.Publishers = readPublishers(root.Get("publishers"), c.StorefrontIDs(), c.Shop.Location)
	c.Needs = readNeeds(root.Get("needs"), c.Publishers)
	checkReach(root.Get("needs"), c.Publishers, c.Needs, c.StorefrontIDs())
	if c.Admin != "" && c.Admin == c.Listen && !strings.HasSuffix(c.Admin, ":0") {
		root.Get("admin").Errorf("customers reach %s (listen); write another port, which only you reach", c.Admin)
	}
	if len(c.Alerts) > 0 && !root.Get("email").Present() {
		root.Get("alerts").Warnf("alerts go out by mail, and there is no email: to send them with")
	}
	return c
}

// database gives the ledger's absolute path, or its address in PostgreSQL, which
// has a secret in it; empty where that can't be read.
func (r *reader) database(root strictyaml.Value) string {
	v := root.Get("database")
	if !v.Present() && !root.Get("database_file").Present() {
		return filepath.Join(r.dir, "data", "backsoon.db")
	}
	text := r.secret(root, "database", "the ledger")
	switch {
	case text == "": // r.secret has said why
	case strings.HasPrefix(text, "postgres://"), strings.HasPrefix(text, "postgresql://"):
		if u, err := url.Parse(text); err != nil || (u.Host == "" && u.Query().Get("host") == "") {
			v.Errorf("is no address of a database; write postgres://user:${DB_PASSWORD}@host/database, the password's special characters as %%40")
		}
		return text
	case strings.Contains(text, "://"):
		v.Errorf("a path belongs here, or an address of PostgreSQL; write database: data/backsoon.db")
	case filepath.IsAbs(text):
		return filepath.Clean(text)
	}
	if text == "" {
		return ""
	}
	return filepath.Join(r.dir, text)
}

// Lock is the path beside which the lock stands of the one watcher that may run in
// the site's folder: the ledger's own, where that is a file.
func (c *Config) Lock() string {
	if filepath.IsAbs(c.Database) {
		return c.Database
	}
	return filepath.Join(c.Dir, "data", "watcher")
}
