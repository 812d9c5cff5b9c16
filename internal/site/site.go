// Package site turns accepted notices into the files of public/: the status
// page, a page for each closure, the history, feeds, calendar and APIs, in every
// language of the site.
//
// A Site makes one Edition after the other as notices and time move on. An
// edition is pure: the same input gives the same bytes. It knows what every file
// depends on, so that a Folder renders and writes only what an edition changes,
// and a reader never meets half a file or a dead link.
package site

import (
	"hash/maphash"
	"io/fs"
	"net/url"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
)

// Input is what an edition is made of.
type Input struct {
	Notices []*notice.Notice // what is to be shown
	Now     time.Time
	Known   *Known // what only the ledger knows; nil for a plain build
	Drafts  bool   // show drafts too, marked as such
}

// Known is what only the ledger knows.
type Known struct {
	Storefronts map[string]Storefront // by id
	Notices     map[string]Facts      // by slug
	Changes     map[string][]Change   // by slug; see Facts.Versions
	Log         Log

	// Reworded is when words last became others than they were, by slug: those of an
	// update under its time in UTC, title and text under the zero time.
	Reworded map[string]map[time.Time]time.Time
}

// past is what only the ledger knows of one notice.
type past struct {
	facts    Facts
	changes  []Change
	reworded map[time.Time]time.Time
}

func (k *Known) past(slug string) past {
	if k == nil {
		return past{}
	}
	return past{k.Notices[slug], k.Changes[slug], k.Reworded[slug]}
}

// Log is what an outsider needs to hold the audit log to its word.
type Log struct {
	Checkpoint string `json:"checkpoint"` // the newest, signed (https://c2sp.org/tlog-checkpoint); empty: there is none
	Key        string `json:"key"`        // by which it can be verified (https://c2sp.org/signed-note)
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
	Revised  time.Time // the version in force was accepted
	Versions int       // how many versions were accepted; 0: not known. It grows whenever the notice is changed or reworded
}

// Change is what one accepted version of a notice says of when and where it is
// in force. A notice's Changes are in the order of acceptance, the oldest first.
// The first of them is the notice as it was first accepted; each later one
// differs from the one before in anything but At. The last is what is in force.
// A version that changes words alone is none of them, nor is a draft.
type Change struct {
	At          time.Time     // when the version was accepted, to the millisecond: no two of a notice are alike
	Closes      notice.Moment // as planned from then on
	Reopens     notice.Moment // as planned from then on; zero: until further notice
	Storefronts []string      // the storefronts' ids; empty: all of them
	Cancelled   bool
}

// Site makes the pages of one site. It is for one goroutine.
type Site struct {
	Subscribe *url.URL // where the form of those who want mail goes; nil: nobody answers it

	cfg    *config.Config
	theme  fs.FS
	voices map[string]*voice // by language, as far as they were needed
	kept   map[string]*file  // by path: the last edition's files that others are made of
	faces  uint64            // how many were made so far
	seed   maphash.Seed
}

// New readies a site with the given theme: pages/*.html, pages/style.css and
// words/*.yaml.
func New(cfg *config.Config, theme fs.FS) *Site {
	return &Site{cfg: cfg, theme: theme, voices: map[string]*voice{}, kept: map[string]*file{}, seed: maphash.MakeSeed()}
}

// voice is one language of the site.
type voice struct {
	*locale.Language
	prefix string           // of its pages' paths: "" for the site's first language, else "pt/"
	zone   string           // the shop's, as its speakers call it: Lisbon
	theme  *theme           // with this language's words
	faces  map[string]*face // by slug
	order  []*face          // as the last edition had their notices
	oldest []*face          // the same, the first closed first
}

// voice gives a language of the site. An error is the theme's, and names file
// and line.
func (s *Site) voice(tag, prefix string) (*voice, error) {
	if v := s.voices[tag]; v != nil {
		return v, nil
	}
	words, err := locale.Load(s.theme, tag)
	if err != nil {
		return nil, err
	}
	theme, err := loadTheme(s.theme, s.cfg.Theme, words)
	if err != nil {
		return nil, err
	}
	v := &voice{words, prefix, words.Zone(s.cfg.Shop.Location), theme, map[string]*face{}, nil, nil}
	s.voices[tag] = v
	return v, nil
}
