// Package site turns accepted notices into the files of public/: the status
// page, a page for each closure, the history, the feed and status.json.
//
// Build is pure: the same input gives the same bytes. Write and Update carry
// its result to the disk, so that a reader never meets half a file or a dead link.
package site

import (
	"io/fs"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
)

// Input is everything that a build depends on.
type Input struct {
	Config  *config.Config
	Theme   fs.FS            // pages/*.html and pages/style.css
	Notices []*notice.Notice // what is to be shown
	Now     time.Time
	Known   *Known // what only the ledger knows; nil for a plain build
	Drafts  bool   // show drafts too, marked as such
}

// Known is what only the ledger knows.
type Known struct {
	Storefronts map[string]Storefront // by id
	Notices     map[string]Facts      // by slug
}

// Storefront is what the ledger knows of one storefront.
type Storefront struct {
	Revision int64     // of its present state
	Since    time.Time // when it came to be in its present state; zero: always was
	Message  string    // as its webhooks have it
}

// Facts is what the ledger knows of one notice. A zero time has not come yet.
type Facts struct {
	Accepted time.Time // the first version of it
	Closed   time.Time // the actual start
	Reopened time.Time // the actual end
	Missed   bool      // it came and went while nobody watched
}

// Files holds a site's files by their path relative to public/, with slashes.
type Files map[string][]byte

// Build makes the whole site. An error is the theme's, and names file and line.
func Build(in Input) (Files, error) {
	theme, err := loadTheme(in.Theme)
	if err != nil {
		return nil, err
	}
	b := newBuilder(in, theme)
	if err := b.pages(); err != nil {
		return nil, err
	}
	if err := b.feed(); err != nil {
		return nil, err
	}
	b.files["robots.txt"] = b.robots()
	b.files["sitemap.xml"] = b.sitemap()
	b.files["status.json"], err = b.status()
	return b.files, err
}
