package notify

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/backsoon/backsoon/internal/checkout"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

const (
	quietRef    = 100 * time.Millisecond // before HEAD is believed: a rebase moves it on and on
	gitPatience = time.Minute            // with a git that is at work, or that somebody left in the middle of something
	gitGlance   = 500 * time.Millisecond // at a git that is at work
)

// tip follows the last commit of the git checkout around the site. Where publishers
// are set and it holds notices, it alone counts, and the work tree is only what
// somebody may still commit.
type tip struct {
	site     string
	watched  bool               // publishers are set
	around   *checkout.Checkout // nil: the site lies in none
	folders  []string           // of the checkout, that are followed
	news     bool               // HEAD may have moved
	commit   string             // as it was last seen
	since    time.Time          // when it was first seen
	working  time.Time          // since when git is at work; zero: it isn't
	worked   time.Time          // when it was last seen at work
	head     *Head              // as it was last read; nil: it wasn't yet
	holds    *folder            // what it holds; nil: no notice, so that the work tree counts
	detached bool               // it was read, and the work tree counts
}

func newTip(site string, watched bool) *tip {
	return &tip{site: site, watched: watched, news: true}
}

// look reads HEAD once it is quiet. wake is when it is worth looking again; zero: when
// something changes.
func (t *tip) look(ctx context.Context, now time.Time, versions map[string]Basis, impatient bool) (wake time.Time, err error) {
	if !t.watched || !t.news {
		return t.wake(now), nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkout.Patience)
	defer cancel()
	if t.around, err = checkout.Find(ctx, t.site); err != nil {
		return now.Add(quietRefuse), err
	}
	if t.around == nil {
		*t = tip{site: t.site, watched: true, detached: true}
		return wake, nil
	}
	r := t.around.Read(ctx, notice.Folder)
	defer r.Close()
	commit, err := r.Head()
	if err != nil {
		return now.Add(quietRefuse), err
	}
	if wake := t.sight(commit, now, impatient); !wake.IsZero() {
		return wake, nil
	}
	if t.head == nil || t.head.Commit != commit {
		head, err := readHead(r, commit, versions, t.head)
		if err != nil {
			return now.Add(quietRefuse), err
		}
		t.take(head, versions, now)
	}
	t.news = false
	return t.wake(now), nil
}

// sight notes where HEAD is; ripe is when it may be read, zero: now. What somebody
// left behind, such as a lock that no git holds any more, keeps nobody waiting for long.
func (t *tip) sight(commit string, now time.Time, impatient bool) (ripe time.Time) {
	first := t.since.IsZero()
	if first || commit != t.commit {
		t.commit, t.since = commit, now
	}
	if !t.around.Busy() {
		t.working = time.Time{}
	} else if t.working.IsZero() {
		t.working = now
	}
	switch {
	case !t.working.IsZero() && now.Before(t.working.Add(gitPatience)):
		t.worked = now
		return now.Add(gitGlance)
	case !first && !impatient && now.Before(t.since.Add(quietRef)):
		return t.since.Add(quietRef)
	}
	return ripe
}

// take puts what HEAD holds in the place of what it held. What is as it was has stood
// for as long as before.
func (t *tip) take(head *Head, versions map[string]Basis, now time.Time) {
	before, first := t.holds, t.head == nil
	t.head, t.holds, t.detached = head, nil, len(head.Files) == 0
	if t.detached {
		return
	}
	t.holds = newFolder(t.site, true)
	for slug, c := range head.Files {
		if c.SHA256 == versions[slug].SHA256 {
			c.Src, c.Signatures = nil, nil // it is in the ledger
		}
		s := &sighting{since: t.since, ripe: now, found: first, read: true, file: c.File, sha: c.SHA256, text: c.text,
			signatures: c.Signatures, origin: c.Origin, against: c.against, state: stateOf(c.SHA256, c.Signatures, c.Origin)}
		if was := before.sighted(slug); was != nil && was.state == s.state {
			s.since, s.found = was.since, was.found
		}
		t.holds.files[slug], t.holds.news[slug] = s, true
	}
	for slug := range versions {
		if t.holds.files[slug] == nil {
			t.holds.miss(slug, versions, t.since)
			t.holds.news[slug] = true
		}
	}
}

// wake is the next moment at which something that HEAD holds, or doesn't, is believed
// or refused.
func (t *tip) wake(now time.Time) (first time.Time) {
	if t.holds == nil {
		return first
	}
	for _, moment := range [...]time.Time{t.since.Add(quietGone), t.since.Add(quietRefuse), t.worked.Add(quietRefuse)} {
		if moment.After(now) {
			first = soonest(first, moment)
		}
	}
	return first
}

// unread tells whether it isn't known yet what counts.
func (t *tip) unread() bool { return t.watched && t.head == nil && !t.detached }

// quiet tells whether neither HEAD nor git has stirred for long enough to tell the owner
// what isn't committed.
func (t *tip) quiet(now time.Time, impatient bool) bool {
	if t.head == nil || t.head.Commit != t.commit {
		return false
	}
	lately := later(t.since, t.worked)
	return !now.Before(lately.Add(quietRefuse)) || impatient && (t.worked.IsZero() || t.worked.Before(now))
}

// event notes that something happened in the folder of a checkout.
func (t *tip) event(file string, now time.Time) (is bool) {
	switch dir, name := filepath.Split(file); {
	case !t.watched:
		return false
	case name == ".git":
		t.news = true
		return true
	case !slices.Contains(t.folders, filepath.Clean(dir)):
		return false
	case name == "index.lock":
		t.worked = now
	}
	t.news = true
	return true
}

// follow gives the folders of the checkout whose events are not followed yet, or no
// longer are the same.
func (t *tip) follow() (fresh []string) {
	if t.around == nil {
		return nil
	}
	folders := t.around.Folders()
	fresh = slices.DeleteFunc(slices.Clone(folders), func(dir string) bool { return slices.Contains(t.folders, dir) })
	t.folders = folders
	t.news = t.news || len(fresh) > 0 // something may have happened before
	return fresh
}

// look brings what is known of the files up to date: of those in the work tree, and of
// those in HEAD, where they count.
func (w *Watcher) look(ctx context.Context, now time.Time) (wake time.Time, lost error) {
	before := w.tip.head
	w.tip.news = w.tip.news || w.folder.whole
	further, err := w.tip.look(ctx, now, w.versions, w.impatient)
	if w.tip.head != before { // what in the work tree isn't in it, or counts now
		w.folder.whole = true
	}
	wake, lost = w.folder.look(now, w.versions)
	switch {
	case err != nil:
		lost = headError{err}
	case w.tip.holds != nil:
		lost = nil // the folder's files don't count
	}
	return soonest(wake, further), lost
}

// headError is why what HEAD holds can't be read.
type headError struct{ error }

// counting is what counts: the folder's files, or those in HEAD. Before it is known
// which, nothing does.
func (w *Watcher) counting() *folder {
	switch {
	case w.tip.unread():
		return newFolder(w.Config.Dir, true)
	case w.tip.holds != nil:
		return w.tip.holds
	}
	return w.folder
}

// unread tells whether some file that counts still waits to be read.
func (w *Watcher) unread() bool { return w.tip.unread() || w.counting().unread() }

// restless tells whether something that may count waits to be read, or to be believed
// gone.
func (w *Watcher) restless(now time.Time) bool {
	return w.tip.unread() || w.tip.news && w.tip.around != nil || w.counting().restless(now) || w.folder.restless(now)
}

// waits tells whether a file is to be read yet.
func (w *Watcher) waits(slug string) bool {
	counts, inTree := w.counting().sighted(slug), w.folder.sighted(slug)
	return counts != nil && !counts.read || inTree != nil && !inTree.read && !inTree.gone
}

// uncounted lists what the owner may take to count, and doesn't: files of the work tree
// that aren't committed, and a history that was rewritten, where no refusal of a file
// tells of it.
func (w *Watcher) uncounted(refused []candidate, now time.Time) (cs []candidate) {
	if w.tip.holds == nil {
		return nil
	}
	for slug := range w.folder.news {
		switch s := w.folder.files[slug]; {
		case s == nil || !s.gone && !s.read:
		case s.gone || w.sameInHead(slug, s) || w.isNobodysBusiness(slug, s, now):
			delete(w.folder.news, slug)
		case !slices.ContainsFunc(refused, func(c candidate) bool { return c.slug == slug }):
			c := candidate{slug: slug, path: notice.Path(slug), sha: s.sha, state: "uncommitted " + s.sha}
			c.stands = s.stands(now, w.impatient) && w.tip.quiet(now, w.impatient)
			c.problems = strictyaml.Problems{{File: c.path, Text: Uncommitted}}
			cs = append(cs, c)
		}
	}
	if why := w.tip.head.Rewritten(); why != "" && len(refused)+len(cs) == 0 {
		c := candidate{slug: notice.Folder, path: notice.Folder, sha: why, state: why, stands: w.tip.quiet(now, w.impatient)}
		c.problems = strictyaml.Problems{{File: notice.Folder, Text: why}}
		cs = append(cs, c)
	}
	return cs
}

// Uncommitted is what is wrong with a file of a work tree that isn't as HEAD holds it.
const Uncommitted = "is not committed: only what the last commit holds counts here; commit it, signed: git commit -S"

// sameInHead tells whether HEAD holds the file as it is in the work tree, or did while
// it stood: what was pushed here leaves the work tree behind, which is nobody's edit.
func (w *Watcher) sameInHead(slug string, s *sighting) bool {
	if c := w.tip.head.Files[slug]; c != nil && c.text == s.text {
		s.committed = true
	}
	return s.committed
}

// isNobodysBusiness tells whether a file that isn't committed is a new draft, or the
// translation of one.
func (w *Watcher) isNobodysBusiness(slug string, s *sighting, now time.Time) bool {
	of, _ := notice.Split(slug)
	if _, accepted := w.versions[of]; accepted || w.tip.head.Files[of] != nil {
		return false
	}
	original := w.folder.sighted(of)
	if original == nil || !original.read {
		return of != slug
	}
	n, _ := notice.Parse(notice.Path(of), of, original.file.Src, w.Config.Shop.Location)
	return n != nil && n.Draft
}

// sighted is what was seen of a file; nil: nothing.
func (f *folder) sighted(slug string) *sighting {
	if f == nil {
		return nil
	}
	return f.files[slug]
}
