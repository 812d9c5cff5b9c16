package site

import (
	"cmp"
	"slices"

	"github.com/backsoon/backsoon/internal/notice"
)

// builder makes one language of an edition. What it holds stays as it is: files
// are rendered while other editions are made.
type builder struct {
	reader
	*snapshot
	edition *Edition
	oldest  []*face // the first closed first
	all     listing
}

// listing is the closures that a list is about, each where it belongs.
type listing struct {
	ongoing []*face // in force: those that close the checkout, then the others; the oldest first
	coming  []*face // the nearest first; drafts, and those cancelled ahead of time, among them
	past    []*face // the latest first
}

func newBuilder(s *Site, e *Edition, v *voice, snap *snapshot) *builder {
	b := &builder{reader: reader{s, v, snap.voices, snap.Now}, snapshot: snap, edition: e}
	faces := make([]*face, len(snap.Notices))
	oldest := make([]*face, len(v.oldest)) // in the last edition's order: then there is little to sort
	for i, n := range snap.Notices {
		old := v.before(i, n)
		faces[i] = b.face(n, snap.Known.past(n.Slug), old)
		if old != nil && old.rank < len(v.oldest) && v.oldest[old.rank] == old {
			oldest[old.rank] = faces[i]
		} else {
			oldest = append(oldest, faces[i])
		}
	}
	oldest = slices.DeleteFunc(oldest, func(f *face) bool { return f == nil })
	slices.SortFunc(oldest, func(x, y *face) int {
		if c := x.closed.Compare(y.closed); c != 0 {
			return c
		}
		return cmp.Compare(x.n.Slug, y.n.Slug)
	})
	v.remember(faces, oldest)
	b.oldest, b.all = oldest, b.list(oldest)
	return b
}

// before is the face that a notice had, which most often stood at the same place;
// nil: it is new.
func (v *voice) before(i int, n *notice.Notice) *face {
	if i < len(v.order) && v.order[i].basis.original == n {
		return v.order[i]
	}
	return v.faces[n.Slug]
}

// remember keeps the faces that are present and drops those of notices that are gone.
func (v *voice) remember(present, oldest []*face) {
	v.order, v.oldest = present, oldest
	for i, f := range oldest {
		f.rank = i
	}
	if len(v.faces) == len(present) {
		return
	}
	v.faces = make(map[string]*face, len(present))
	for _, f := range present {
		v.faces[f.n.Slug] = f
	}
}

// build puts every file of the language into the edition.
func (b *builder) build() {
	b.closures()
	b.history()
	b.index()
	b.storefronts()
	b.subscriptions()
	b.badges()
	if b.voice.prefix != "" { // what follows is the same in every language
		return
	}
	b.missing()
	b.logo()
	b.crawlers()
	b.add("status.json", b.status)
	b.keep("status.schema.json", 1, b.reader.schema)
	b.statuspages()
}

// list puts each face, the first closed first, where it belongs. A closure that
// was cancelled ahead of time stays among those coming until its day has passed:
// that is where whoever remembers it looks.
func (b *builder) list(faces []*face) (l listing) {
	var alongside []*face
	l.past = make([]*face, 0, len(faces)) // which is almost all of them
	for _, f := range faces {
		switch phase := f.basis.phase; {
		case (phase == notice.Closed || phase == notice.Overdue) && f.n.CheckoutOn:
			alongside = append(alongside, f)
		case phase == notice.Closed, phase == notice.Overdue:
			l.ongoing = append(l.ongoing, f)
		case phase == notice.Reopened, phase == notice.Cancelled && !b.now.Before(f.n.Closes.Time):
			l.past = append(l.past, f)
		default:
			l.coming = append(l.coming, f)
		}
	}
	l.ongoing = append(l.ongoing, alongside...)
	slices.Reverse(l.past)
	return l
}

// of is the part of the listing that is about one storefront.
func (l listing) of(storefront string) listing {
	covering := func(faces []*face) []*face {
		return slices.DeleteFunc(slices.Clone(faces), func(f *face) bool { return !f.n.Covers(storefront) })
	}
	return listing{covering(l.ongoing), covering(l.coming), covering(l.past)}
}

// lead is the closure that decides how long one stays closed: in force, or ahead
// and joining on. It is nil where there is none of that name.
func (l listing) lead(slug string) *face {
	for _, faces := range [][]*face{l.ongoing, l.coming} {
		for _, f := range faces {
			if f.n.Slug == slug {
				return f
			}
		}
	}
	return nil
}
