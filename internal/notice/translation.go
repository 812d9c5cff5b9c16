package notice

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// Translation is a notice's words in another language. It lies beside the notice,
// as winter-break.pt.md, in the same format; everything but words comes from the
// notice itself.
type Translation struct {
	Slug     string // the notice's
	Language string // as the file's name has it, a BCP 47 tag in lower case: pt, pt-br
	Title    string
	Facts    []Fact // empty: the notice's own
	Contact  *Link  // nil: the notice's own
	Body     string // Markdown
	Updates  []Update
}

// languageTag is the shape of a BCP 47 tag in a file's name: a language, and
// perhaps a script, a region or a variant.
var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{2,8})*$`)

// Split takes the name of a file without .md apart: winter-break is a notice,
// winter-break.pt its translation into Portuguese.
func Split(name string) (slug, language string) {
	if slug, language, ok := strings.Cut(name, "."); ok && languageTag.MatchString(language) {
		return slug, language
	}
	return name, ""
}

// wordKeys are those of a translation's front matter.
var wordKeys = []string{"title", "facts", "contact"}

// ParseTranslation reads a translation as Parse reads a notice. Its updates are
// known by the times that their headings begin with, which are those of the
// notice's own.
func ParseTranslation(file, name string, src []byte, loc *time.Location) (*Translation, strictyaml.Problems) {
	r := strictyaml.NewReport(file, src)
	slug, language := Split(name)
	if !strictyaml.CheckText(r, src, MaxSize) {
		return nil, r.Problems()
	}
	p, ok := split(r, src)
	if !ok {
		return nil, r.Problems()
	}
	n := &Notice{Slug: slug} // which has all the fields, and some more
	if root, ok := strictyaml.Parse(r, p.front, 2); ok {
		n.readWords(root)
	}
	n.readBody(r, strings.ReplaceAll(string(p.body), "\r\n", "\n"), p.bodyLine(), loc)
	if problems := r.Problems(); problems.Err() != nil {
		return nil, problems
	}
	t := &Translation{Slug: slug, Language: language, Title: n.Title, Facts: n.Facts, Contact: n.Contact, Body: n.Body, Updates: n.Updates}
	return t, r.Problems()
}

// readWords reads the keys of a translation. Any other key of a notice is
// refused by name: two files that say when a shop reopens would come to differ.
func (n *Notice) readWords(root strictyaml.Value) {
	for _, key := range keys {
		if v := root.Get(key); v.Present() && !slices.Contains(wordKeys, key) {
			v.Errorf("comes from the notice itself; leave this line out of the translation")
		}
	}
	root.Only(keys...)
	root.Need("title", "Fechado para as férias de inverno")
	n.Title = readTitle(root.Get("title"))
	n.Facts = readFacts(root.Get("facts"))
	n.Contact = readContact(root.Get("contact"))
}

// Check finds what depends on the surroundings: a language that the pages don't
// have, no notice to translate, a text that is left out, and an update that the
// notice doesn't have. file is the path that problems name; of is the notice, nil
// where it has mistakes or, unless there is one, where it is missing; languages
// are those of the pages, the notices' own first.
func (t *Translation) Check(file string, of *Notice, there bool, languages []string) strictyaml.Problems {
	problem := func(text string) strictyaml.Problems {
		return strictyaml.Problems{{File: file, Line: 1, Column: 1, Text: text}}
	}
	switch i := slices.Index(languages, t.Language); {
	case i == 0:
		return problem("translates into " + t.Language + ", in which notices are written anyway; put its words into " + Path(t.Slug))
	case i < 0:
		return problem("is in " + t.Language + ", which is none of the site's languages: " + strings.Join(languages, ", ") +
			"; a notice of its own has no dot in its name")
	case !there:
		return problem("translates " + t.Slug + ", which is not there; write " + Path(t.Slug) + " first, or give this file that notice's name")
	case of == nil:
		return nil // which says enough
	}
	var problems strictyaml.Problems
	if of.Body != "" && t.Body == "" {
		problems = append(problems, strictyaml.Problem{File: file, Line: 1, Column: 1,
			Text: "has no text below the second ---; write that of " + Path(t.Slug) + " in the other language"})
	}
	for _, u := range t.Updates {
		if !slices.ContainsFunc(of.Updates, func(o Update) bool { return o.At.Equal(u.At) }) {
			problems = append(problems, strictyaml.Problem{File: file, Line: u.line, Column: u.column,
				Text: "update: " + Path(t.Slug) + " has no update of " + Moment{Time: u.At}.String() + "; write the same time as there"})
		}
	}
	return problems
}

// Languages lists the languages that the notice has been translated into, sorted.
func (n *Notice) Languages() []string {
	tags := make([]string, len(n.Translations))
	for i, t := range n.Translations {
		tags[i] = t.Language
	}
	slices.Sort(tags)
	return tags
}

// Translated is the notice with these translations, and no others.
func (n *Notice) Translated(into []*Translation) *Notice {
	if len(n.Translations)+len(into) == 0 {
		return n
	}
	m := *n
	m.Translations = into
	return &m
}

// In gives the notice in another language: its translation's words, and its own
// where the translation has none. It is the notice itself where there is no
// translation.
func (n *Notice) In(language string) *Notice {
	i := slices.IndexFunc(n.Translations, func(t *Translation) bool { return t.Language == language })
	if i < 0 {
		return n
	}
	return n.with(n.Translations[i])
}

func (n *Notice) with(t *Translation) *Notice {
	m := *n
	m.Language, m.Title, m.Body = t.Language, t.Title, t.Body
	if len(t.Facts) > 0 {
		m.Facts = t.Facts
	}
	if t.Contact != nil {
		m.Contact = t.Contact
	}
	m.Updates = make([]Update, len(n.Updates))
	for i, u := range n.Updates {
		m.Updates[i] = u
		if j := slices.IndexFunc(t.Updates, func(o Update) bool { return o.At.Equal(u.At) }); j >= 0 {
			m.Updates[i].Title, m.Updates[i].Body, m.Updates[i].Language = t.Updates[j].Title, t.Updates[j].Body, t.Language
		}
	}
	return &m
}
