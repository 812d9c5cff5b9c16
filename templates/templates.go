// Package templates holds the default theme: what pages and mails look like, and their words.
// A site's own file of the same name takes a default's place.
package templates

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed mail pages words
var defaults embed.FS

// FS is the theme of the site in siteDir: pages/…, mail/… and words/…, each file from the
// site's templates folder where it has one of that name. An empty siteDir
// stands for the defaults alone.
func FS(siteDir string) fs.FS {
	if siteDir == "" {
		return defaults
	}
	return overlay{site: os.DirFS(filepath.Join(siteDir, "templates")), theme: defaults}
}

// Stamp tells one state of the site's own theme files from another without
// reading them.
func Stamp(siteDir string) string {
	var b strings.Builder
	_ = filepath.WalkDir(filepath.Join(siteDir, "templates"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // what can't be looked at can't be read either: building says so
		}
		if info, err := d.Info(); err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return b.String()
}

// overlay is two trees as one; the site's files win.
type overlay struct{ site, theme fs.FS }

// Open implements fs.FS.
func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.site.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.theme.Open(name)
	}
	return f, err
}

// ReadDir implements fs.ReadDirFS: a folder holds the files of both trees.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.site, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	defaults, themeErr := fs.ReadDir(o.theme, name)
	if themeErr != nil && err != nil {
		return nil, themeErr
	}
	byName := func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) }
	// Stable, with the site's first: of two with one name, the site's stays.
	entries = append(entries, defaults...)
	slices.SortStableFunc(entries, byName)
	return slices.CompactFunc(entries, func(a, b fs.DirEntry) bool { return a.Name() == b.Name() }), nil
}

// Names lists the files of the theme: pages/index.html, ….
func Names() (names []string) {
	_ = fs.WalkDir(defaults, ".", func(name string, d fs.DirEntry, _ error) error { // it is built in
		if !d.IsDir() {
			names = append(names, name)
		}
		return nil
	})
	return names
}

// Strays lists a site's own files that take no default's place, as one does whose
// name is misspelt. What editors and systems leave there is none of them.
func Strays(siteDir string) (names []string) {
	own, known := os.DirFS(filepath.Join(siteDir, "templates")), Names()
	_ = fs.WalkDir(own, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil: // building says so
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir(), strings.HasSuffix(name, "~"), slices.Contains(known, name):
		default:
			names = append(names, name)
		}
		return nil
	})
	return names
}
