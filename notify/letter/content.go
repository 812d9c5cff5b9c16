package letter

import (
	"cmp"
	"errors"
	htmltemplate "html/template"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/locale"
	"github.com/backsoon/backsoon/internal/notice"
)

// content is what the templates are given. Whatever an owner wrote is one line,
// or has been through Markdown.
type content struct {
	tongue          // of the letter
	Words    tongue // of the notice's words, which may be another
	Missing  string // says so, where they have not been translated; may be empty
	Subject  string
	Shop     string
	Tone     string  // planned, delayed or open
	opening          // what a reader must know, in two lines
	Title    string  // empty where the opening has it, and once it is over
	Update   *update // for an update alone
	Text     string  // the notice's words as plain text; may be empty
	HTML     htmltemplate.HTML
	Facts    []notice.Fact
	Contacts []contact
	Shops    []contact // where to buy again, once it is open
	Page     string    // the closure's page
	Leave    string
}

// tongue is a language: its tag, and ltr or rtl.
type tongue struct{ Lang, Dir string }

// update is one update of the notice.
type update struct {
	When, Title string
	Words       tongue // of the title and the text
	Text        string
	HTML        htmltemplate.HTML
}

// contact is a way to the shop. Text is how the address is written where
// nothing can be clicked.
type contact struct {
	Label, Text string
	URL         htmltemplate.URL
}

// maxTitle is how long a title or name may be in any letter, in characters.
const maxTitle = 200

// room is how much of the owner's words a letter takes.
type room struct {
	text  int // characters of a text; a longer one becomes an excerpt
	line  int // characters of a fact, or of a link's label
	items int // facts, ways to the shop, and storefronts to buy at, of each
}

// rooms are tried one after the other until a letter is small enough. In the
// last there is place for the answer and the link to the status page alone.
var rooms = []room{
	{math.MaxInt, math.MaxInt, math.MaxInt},
	{1500, 150, 10},
	{300, 80, 3},
	{0, 0, 0},
}

// excerpt is how much of the notice an update's letter recalls, in characters.
const excerpt = 1500

// writer writes one letter.
type writer struct {
	cfg  *config.Config
	lang *locale.Language
	Facts
	room room
}

func (w writer) content() (content, error) {
	n := w.Notice
	opening, ok := w.opening()
	if !ok {
		return content{}, errors.New("no such kind")
	}
	c := content{
		tongue: tongue{w.lang.Tag, w.lang.Dir}, Words: w.tongue(n.Language),
		Subject: w.subject(), Shop: w.shop(), Tone: w.tone(), opening: opening,
		Contacts: w.contacts(), Page: w.cfg.ClosureURL(w.lang.Tag, n.Slug).String(), Leave: Unsubscribe,
	}
	switch w.Kind {
	case Reopened, Cancelled: // what was said of the closure no longer holds
		if !n.CheckoutOn {
			c.Shops = w.shops()
		}
		return c, nil
	case Update:
		i := slices.IndexFunc(n.Updates, func(u notice.Update) bool { return u.At.Equal(w.Facts.Update) })
		if i < 0 {
			return content{}, errors.New("the notice has no such update")
		}
		u := n.Updates[i]
		c.Update = &update{When: capital(w.stamp(u.At, false)), Title: clip(line(u.Title), maxTitle), Words: w.tongue(u.Language)}
		c.Update.Text, c.Update.HTML = w.prose(u.Body, c.Update.Words)
		c.Text = clip(notice.Summary(n.Body), min(excerpt, w.room.text))
		c.HTML = paragraph(c.Text)
	default:
		c.Text, c.HTML = w.prose(n.Body, c.Words)
	}
	if title := w.title(); title != opening.Headline {
		c.Title = title
	}
	c.Facts, c.Missing = w.facts(), w.missing(c)
	return c, nil
}

// tongue is that of words which say, or don't, that they were translated.
func (w writer) tongue(language string) tongue {
	tag := cmp.Or(language, w.cfg.Language())
	return tongue{tag, locale.Direction(tag)}
}

// missing says what of the notice's words is not in the letter's language.
func (w writer) missing(c content) string {
	switch {
	case c.Words.Lang != c.Lang:
		return w.lang.Text("closure.untranslated")
	case c.Update != nil && c.Update.Words.Lang != c.Lang:
		return w.say("untranslated-update")
	}
	return ""
}

// say gives a message of the mails.
func (w writer) say(id string, data ...any) string { return w.lang.Text("mail."+id, data...) }

// prose is Markdown as text and as HTML fit for a mail. Its links begin at the
// page in the language that it was written in, and its headings below the title's.
func (w writer) prose(markdown string, words tongue) (string, htmltemplate.HTML) {
	render := notice.Markdown{Base: w.cfg.ClosureURL(words.Lang, w.Notice.Slug), Top: 3}
	text := render.PlainText(markdown)
	if len(text) > w.room.text {
		text = clip(line(text), w.room.text)
		return text, paragraph(text)
	}
	return text, forMail(render.HTML(markdown), words.Dir)
}

func (w writer) facts() []notice.Fact {
	var facts []notice.Fact
	for _, f := range firstOf(w.Notice.Facts, w.room.items) {
		facts = append(facts, notice.Fact{Label: w.clip(f.Label), Text: w.clip(f.Text)})
	}
	return facts
}

// contacts are the notice's own way to turn to first, then the shop's.
func (w writer) contacts() []contact {
	links := w.cfg.Shop.Contact
	if w.Notice.Contact != nil {
		links = slices.Concat([]notice.Link{*w.Notice.Contact}, links)
	}
	return w.links(links)
}

// shops are the storefronts that the letter is about.
func (w writer) shops() []contact {
	var shops []notice.Link
	for _, s := range w.cfg.Storefronts {
		if s.URL != "" && (len(w.Storefronts) == 0 || slices.Contains(w.Storefronts, s.ID)) {
			shops = append(shops, notice.Link{Label: s.Name, URL: s.URL})
		}
	}
	return w.links(shops)
}

func (w writer) links(links []notice.Link) []contact {
	var contacts []contact
	for _, l := range firstOf(links, w.room.items) {
		contacts = append(contacts, link(w.clip(l.Label), l.URL))
	}
	return contacts
}

// clip makes a short line of a text.
func (w writer) clip(s string) string { return clip(line(s), w.room.line) }

// link makes a contact of a label and a URL with one of the schemes of
// notice.Link. A template would refuse tel and sms; another scheme it still does.
func link(label, address string) contact {
	c := contact{Label: label, Text: line(notice.Link{URL: address}.Written()), URL: "#"}
	scheme, _, _ := strings.Cut(address, ":")
	switch strings.ToLower(scheme) {
	case "http", "https", "mailto", "tel", "sms":
		c.URL = htmltemplate.URL(address)
	}
	return c
}

// capital begins a line as a sentence is begun: “Samedi 26 décembre”.
func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// stamp prints a moment on the shop's clocks, with the zone beside it.
func (w writer) stamp(t time.Time, dateOnly bool) string {
	zone := w.cfg.Shop.Location
	return w.lang.When(t, dateOnly, w.Now, zone) + " (" + w.lang.Zone(zone) + ")"
}

// written is a moment as the owner wrote it.
func (w writer) written(m notice.Moment) string { return w.stamp(m.Time, m.DateOnly) }

func (w writer) title() string { return clip(line(w.Notice.Title), maxTitle) }
func (w writer) shop() string  { return clip(line(w.cfg.Shop.Name), maxTitle) }

// line makes one line of a text: white space and control characters become
// single spaces, and the marks that turn the direction of all that follows
// (Unicode's bidirectional embeddings, overrides and isolates) are left out.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// clip shortens a text to so many characters.
func clip(s string, limit int) string {
	runes := []rune(s)
	switch {
	case len(runes) <= limit:
		return s
	case limit == 0:
		return ""
	}
	return strings.TrimSpace(string(runes[:limit-1])) + "…"
}

func firstOf[T any](all []T, n int) []T { return all[:min(n, len(all))] }
