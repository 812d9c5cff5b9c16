package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/checkout"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

// candidate is one file that differs from the version in force, or is gone.
type candidate struct {
	slug, path  string // the slug is that of the file's name: of a translation, winter-break.pt
	sha         string // empty: gone
	state       string // of the content and its signatures; see stateOf
	src         []byte
	signatures  [][]byte
	origin      *checkout.Origin // the commit that it is from; nil: it was read in the work tree
	against     Basis            // see Committed
	parsed      *notice.Notice
	translation *notice.Translation // in the place of parsed
	problems    strictyaml.Problems
	stands      bool // for long enough to tell the owner
	found       bool // see sighting
	by          ledger.By
	also        []ledger.By // who signed beside them
}

// candidates turns what is new in what counts, be that the folder or HEAD, into what
// may be accepted or refused.
func (w *Watcher) candidates(now time.Time) []candidate {
	f := w.counting()
	cs := make([]candidate, 0, len(f.news))
	for slug := range f.news {
		switch s := f.files[slug]; {
		case s == nil || !s.believed(now): // nil: named, and not looked at yet
		case s.read && s.sha == w.versions[slug].SHA256:
			s.file.Src, s.signatures = nil, nil // it is in the ledger
			delete(f.news, slug)
		default:
			cs = append(cs, w.candidate(slug, s, now))
		}
	}
	cs = append(cs, w.uncounted(cs, now)...)
	slices.SortFunc(cs, func(a, b candidate) int { return strings.Compare(a.slug, b.slug) })
	return cs
}

func (w *Watcher) candidate(slug string, s *sighting, now time.Time) candidate {
	c := candidate{slug: slug, path: notice.Path(slug), sha: s.sha, state: s.state, stands: s.stands(now, w.impatient), found: s.found}
	switch {
	case s.gone:
		c.sha, c.state, c.stands = "", "", true // it was waited for already
	case s.file.Problem != nil:
		c.problems = strictyaml.Problems{*s.file.Problem}
	default:
		c.src, c.signatures, c.origin, c.against = s.file.Src, s.signatures, s.origin, s.against
		if s.file.Language != "" {
			c.translation, c.problems = notice.ParseTranslation(c.path, slug, c.src, w.Config.Shop.Location)
		} else {
			c.parsed, c.problems = notice.Inspect(c.path, slug, c.src, w.Config.Shop.Location, now, w.Config.StorefrontIDs())
		}
		if w.Judge == nil {
			c.by = w.who(c, s)
		}
	}
	return c
}

// who tells whose the candidate's bytes are. It is asked once: it may take a run of git.
func (w *Watcher) who(c candidate, s *sighting) ledger.By {
	if s.by == nil {
		by := w.Who(c.path, c.src)
		s.by = &by
	}
	return *s.by
}

// judge tells what is wrong with a candidate that could be read, given the
// version in force (nil: none). A new draft is nobody's business.
func (w *Watcher) judge(tx *ledger.Tx, c *candidate, inForce *notice.Notice, refusals map[string]ledger.Refusal, now time.Time) (strictyaml.Problems, error) {
	if c.problems.Err() != nil {
		return c.problems.Errors(), nil
	}
	if problems, err := w.replayed(tx, c, refusals); err != nil || problems != nil {
		w.authorise(c, inForce, c.parsed, now) // whose signature comes back is logged
		return problems, err
	}
	problems := c.parsed.CheckChange(c.path, now, inForce).Errors()
	if problems != nil || c.parsed.Draft && inForce == nil {
		return problems, nil
	}
	return w.authorise(c, inForce, c.parsed, now), nil
}

// isStale tells an older copy of a notice from an edit that puts older words back.
// The bytes are ones that were accepted before, and are no longer in force.
//
// Words that this watcher saw come are an edit, be they new or old: an undo, a
// `git revert`. So are words that it finds when it begins, as long as it is the only
// one, or was the last to reconcile: somebody worked here while it was down. But
// where it takes over from a watcher in another place, old words that it finds are
// a folder that was left behind, and change nothing. That stands until the file
// changes, across restarts.
func (w *Watcher) isStale(c candidate, refusals map[string]ledger.Refusal) bool {
	return w.Ledger.Shared() && c.found && (w.folder.elsewhere || refusals[c.slug].SHA256 == c.state)
}

func staleProblem(path string) strictyaml.Problems {
	return strictyaml.Problems{{File: path, Line: 1, Column: 1, Text: "is an older version than the one in force, " +
		"found as this machine took over; bring this folder up to date (git pull), or, if these words are to count again, save the file once more"}}
}

// take accepts or refuses each candidate, in the transaction and in the
// situation. lost says why the folder itself can't be read. The alert tells the
// owner of all that was newly refused at once.
func (w *Watcher) take(tx *ledger.Tx, s *situation, cs []candidate, lost error, now time.Time) (entries []ledger.Entry, alerts []alert, err error) {
	refusals, err := tx.Refusals()
	if err != nil {
		return nil, nil, err
	}
	cs = append(cs, w.lostFolder(lost, now)...)
	var told []string
	for _, c := range cs {
		plan := s.planOf(c.slug)
		entry, reason, err := w.takeOne(tx, s, c, refusals, now)
		if err != nil {
			return nil, nil, err
		}
		if entry != nil {
			entries = append(append(entries, *entry), stepsTaken(plan, c, *entry)...)
		}
		if reason != "" {
			told = append(told, reason)
		}
	}
	if lost == nil && !w.tip.unread() {
		if err := w.forgive(tx, refusals, cs); err != nil {
			return nil, nil, err
		}
	}
	w.refused = countRefused(refusals)
	if len(told) > 0 {
		alerts = append(alerts, alert{refused: told})
	}
	return entries, alerts, nil
}

// countRefused counts the files that are there and were refused. One that is
// gone is no refusal: it has nothing to accept.
func countRefused(refusals map[string]ledger.Refusal) (n int) {
	for _, r := range refusals {
		if r.SHA256 != "" {
			n++
		}
	}
	return n
}

// takeOne accepts or refuses one candidate. The entry is nil where there is
// nothing to log; reason is what the owner hears of a new refusal.
func (w *Watcher) takeOne(tx *ledger.Tx, s *situation, c candidate, refusals map[string]ledger.Refusal, now time.Time) (*ledger.Entry, string, error) {
	if c.origin != nil && c.against != w.versions[c.slug] { // it was held against what is no longer in force
		w.tip.head, w.tip.news = nil, true
		return nil, "", nil
	}
	if _, language := notice.Split(c.slug); language != "" {
		return w.takeTranslation(tx, s, c, refusals, now)
	}
	var inForce *notice.Notice
	if t := s.find(c.slug); t != nil {
		inForce = t.Notice
	}
	if c.sha == "" {
		return w.refuse(tx, c, missing(c, inForce, now), ledger.NoticeMissing, refusals, now)
	}
	problems, err := w.judge(tx, &c, inForce, refusals, now)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", c.path, err)
	}
	if problems != nil {
		if !c.stands {
			return nil, "", nil
		}
		reason := problems.Error()
		if remedy := remedy(c.slug, inForce, now); remedy != "" {
			reason += "\nWhat was accepted last stays in force; mend the file, or end the closure with " + remedy
		}
		return w.refuse(tx, c, reason, ledger.NoticeRefused, refusals, now)
	}
	if c.parsed.Draft && inForce == nil {
		return nil, "", forget(tx, refusals, c.slug)
	}
	delete(refusals, c.slug)
	return w.accept(tx, s, c, now)
}

func (w *Watcher) accept(tx *ledger.Tx, s *situation, c candidate, now time.Time) (*ledger.Entry, string, error) {
	v := c.version(now)
	id, err := tx.Accept(v)
	if err != nil {
		return nil, "", err
	}
	tx.AfterCommit(func() { w.versions[c.slug] = BasisOf(v) })
	v.ID, v.Content = id, nil
	if t := s.find(c.slug); t != nil {
		delete(w.parsed, t.row.ID)
	}
	s.accept(c.parsed, v)
	w.parsed[id] = c.parsed
	e := ledger.Entry{Time: now, Event: ledger.NoticeAccepted, Notice: c.slug, By: &c.by, Also: c.also, Commit: v.Commit, SHA256: c.sha}
	if !c.parsed.Reopened.IsZero() {
		e.OpenSteps = c.parsed.OpenSteps()
	}
	return &e, "", nil
}

// version is the candidate as the ledger keeps it.
func (c candidate) version(now time.Time) ledger.Version {
	v := ledger.Version{Slug: c.slug, SHA256: c.sha, Content: c.src, Accepted: now, By: c.by}
	if c.origin != nil && c.origin.Commit != nil {
		v.Commit = c.origin.ID
	}
	return v
}

// refuse writes a refusal once per content and signatures. The version in force stays.
func (w *Watcher) refuse(tx *ledger.Tx, c candidate, reason, event string, refusals map[string]ledger.Refusal, now time.Time) (*ledger.Entry, string, error) {
	if r, ok := refusals[c.slug]; ok && r.SHA256 == c.state {
		return nil, "", nil
	}
	r := ledger.Refusal{Slug: c.slug, SHA256: c.state, Reason: reason, At: now}
	refusals[c.slug] = r
	if err := tx.Refuse(r); err != nil {
		return nil, "", err
	}
	if reason == "" { // nothing the owner has to hear of
		return nil, "", nil
	}
	e := ledger.Entry{Time: now, Event: event, Notice: c.slug, Reason: reason}
	if c.by != (ledger.By{}) {
		e.By = &c.by
	}
	return &e, reason, nil
}

// missing is what the owner hears of a notice whose file is gone; nothing where
// the closure is over.
func missing(c candidate, inForce *notice.Notice, now time.Time) string {
	remedy := remedy(c.slug, inForce, now)
	if remedy == "" {
		return ""
	}
	return c.path + ": the file is gone, but its last accepted version stays in force; put the file back, or end the closure with " + remedy
}

// remedy is the command that ends the closure; nothing where it is over.
func remedy(slug string, inForce *notice.Notice, now time.Time) string {
	switch {
	case inForce == nil || inForce.Over(now) || inForce.Draft:
		return ""
	case inForce.InForce(now):
		return "`backsoon reopen " + slug + "`"
	}
	return "`backsoon cancel " + slug + "`"
}

// forgive forgets the refusals of files that are as accepted again.
func (w *Watcher) forgive(tx *ledger.Tx, refusals map[string]ledger.Refusal, cs []candidate) error {
	for slug := range refusals {
		stillWrong := slices.ContainsFunc(cs, func(c candidate) bool { return c.slug == slug })
		if stillWrong || w.waits(slug) {
			continue
		}
		if err := forget(tx, refusals, slug); err != nil {
			return err
		}
	}
	return nil
}

func forget(tx *ledger.Tx, refusals map[string]ledger.Refusal, slug string) error {
	if _, refused := refusals[slug]; !refused {
		return nil
	}
	delete(refusals, slug)
	return tx.Forgive(slug)
}

// lostFolder is the candidate that stands for the folder itself, once it could
// not be read for long enough to tell the owner.
func (w *Watcher) lostFolder(lost error, now time.Time) []candidate {
	if lost == nil {
		w.lostSince = time.Time{}
		return nil
	}
	if w.lostSince.IsZero() {
		w.lostSince = now
	}
	if !w.impatient && now.Before(w.lostSince.Add(quietRefuse)) {
		return nil
	}
	text := "the folder can't be read (" + lost.Error() + "); every accepted notice stays in force. Put the folder back"
	if _, inGit := lost.(headError); inGit {
		text = "what is committed can't be read (" + lost.Error() + "); every accepted notice stays in force. `git fsck` says what is wrong; mend the checkout, or clone it anew"
	}
	return []candidate{{slug: notice.Folder, path: notice.Folder, sha: "folder", state: "folder", stands: true,
		problems: strictyaml.Problems{{File: notice.Folder, Text: text}}}}
}
