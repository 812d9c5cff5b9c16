package notice

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// The most characters that a title may have, and a link's label and address.
const (
	maxTitle = 200
	maxLabel = 200
	maxURL   = 2000
)

// keys are those of the front matter, in the order in which Format writes them.
var keys = []string{
	"title", "published", "closes", "reopens", "reopened", "storefronts", "checkout",
	"facts", "contact", "reopening", "draft", "cancelled",
}

// Parse reads a notice. Its times are in the shop's zone, loc, where the owner
// gives no offset; file is the path that problems name. All problems of the file
// come at once. The notice is nil when one of them is an error; warnings alone
// leave it whole.
//
// The file is a front matter in YAML between two lines of ---, then Markdown
// (CommonMark 0.31). A level-2 ATX heading of the document's top level that
// begins with a date and time begins an update. Headings within code, quotes and
// lists do not, nor do underlined (setext) ones: those get a warning.
func Parse(file, slug string, src []byte, loc *time.Location) (*Notice, strictyaml.Problems) {
	n, problems := read(file, slug, src, loc)
	if problems.Err() != nil {
		return nil, problems
	}
	return n, problems
}

// Inspect is Parse and Check in one, so that all that is wrong with a file is
// told at once. The notice is nil when there is an error.
func Inspect(file, slug string, src []byte, loc *time.Location, now time.Time, storefronts []string) (*Notice, strictyaml.Problems) {
	n, problems := read(file, slug, src, loc)
	if n != nil {
		problems = append(problems, n.Check(file, now, storefronts)...)
		problems.Sort()
	}
	if problems.Err() != nil {
		return nil, problems
	}
	return n, problems
}

// read gives what could be read of a notice, nil where that is nothing.
func read(file, slug string, src []byte, loc *time.Location) (*Notice, strictyaml.Problems) {
	r := strictyaml.NewReport(file, src)
	if !ValidSlug(slug) {
		r.Errorf(1, 1, "%s", badSlug(slug))
	}
	if !strictyaml.CheckText(r, src, MaxSize) {
		return nil, r.Problems()
	}
	p, ok := split(r, src)
	if !ok {
		return nil, r.Problems()
	}
	n := &Notice{Slug: slug}
	if root, ok := strictyaml.Parse(r, p.front, 2); ok {
		n.readKeys(root, loc)
	}
	body := strings.ReplaceAll(string(p.body), "\r\n", "\n")
	n.readBody(r, body, p.bodyLine(), loc)
	return n, r.Problems()
}

func (n *Notice) readKeys(root strictyaml.Value, loc *time.Location) {
	if root.InBraces() {
		root.Errorf("write one key a line, without { and }")
		return
	}
	root.Only(keys...)
	root.Need("title", "Closed for the winter break")
	root.Need("closes", exampleTime)
	for _, key := range []string{"reopened", "draft", "cancelled"} {
		n.place(key, root.Get(key))
	}
	n.Title = readTitle(root.Get("title"))
	n.readTimes(root, loc)
	n.Storefronts = n.readStorefronts(root.Get("storefronts"))
	n.CheckoutOn = readCheckout(root.Get("checkout"))
	n.Facts = readFacts(root.Get("facts"))
	n.Contact = readContact(root.Get("contact"))
	n.Reopening = readSteps(root.Get("reopening"))
	n.Draft, _ = root.Get("draft").Bool()
	n.Cancelled, _ = root.Get("cancelled").Bool()
}

// place remembers where a value stands, if it does.
func (n *Notice) place(name string, v strictyaml.Value) {
	if !v.Present() {
		return
	}
	if n.where == nil {
		n.where = map[string]position{}
	}
	n.where[name] = position{v.Line, v.Column}
}

func (n *Notice) readTimes(root strictyaml.Value, loc *time.Location) {
	n.Published = readMoment(root.Get("published"), loc)
	n.Closes = readMoment(root.Get("closes"), loc)
	n.Reopens = readMoment(root.Get("reopens"), loc)
	n.Reopened = readMoment(root.Get("reopened"), loc)
	if v := root.Get("published"); !v.Present() {
		v.Warnf("is missing, so feeds and calendar cannot date the announcement; write published: 2026-11-20 10:00")
	}
	if n.Closes.IsZero() {
		return
	}
	if !n.Reopens.IsZero() && !n.Reopens.After(n.Closes.Time) {
		root.Get("reopens").Errorf("%s is not after closes (%s); write a later time, or leave reopens out: until further notice", n.Reopens, n.Closes)
	}
	if !n.Reopened.IsZero() && n.Reopened.Before(n.Closes.Time) {
		root.Get("reopened").Errorf("%s is before closes (%s); write the time at which the shop really opened again, or cancelled: yes if it never closed", n.Reopened, n.Closes)
	}
}

func readTitle(v strictyaml.Value) string {
	text, ok := v.Text("Closed for the winter break")
	if !ok {
		return ""
	}
	text = strings.TrimSpace(text)
	switch length := utf8.RuneCountInString(text); {
	case text == "":
		v.Errorf("is empty; write title: Closed for the winter break")
	case length > maxTitle:
		v.Errorf("has %d characters; a title may have %d: move the rest to the text", length, maxTitle)
	case strings.IndexFunc(text, unicode.IsControl) >= 0:
		v.Errorf("a title is one line, without tabs; move the rest to the text")
	}
	return text
}

func (n *Notice) readStorefronts(v strictyaml.Value) []string {
	if v.IsList() && len(v.List("web")) == 0 {
		v.Errorf("the list is empty; name storefronts as in storefronts: [web], or leave the line out for all of them")
	}
	var ids []string
	for _, item := range v.List("web") {
		id, ok := item.Text("[web]")
		switch {
		case !ok:
		case slices.Contains(ids, id):
			item.Errorf("%q is written twice; keep one of them", strictyaml.Clip(id))
		default:
			ids = append(ids, id)
			n.place("storefronts "+id, item)
		}
	}
	return ids
}

func readCheckout(v strictyaml.Value) (on bool) {
	text, ok := v.Text("off")
	switch {
	case !ok, text == "off":
		return false
	case text == "on":
		return true
	}
	v.Errorf("%q is neither off nor on; write checkout: off (nobody can order) or checkout: on (the notice is only shown)", strictyaml.Clip(text))
	return false
}

func readFacts(v strictyaml.Value) []Fact {
	var facts []Fact
	for _, e := range v.Entries("Last orders: Wed 23 December, 12:00") {
		checkName(e, "Last orders: Wed 23 December, 12:00")
		text, ok := e.Value.Text("Wed 23 December, 12:00")
		text = strings.TrimSpace(text)
		if ok && text == "" {
			e.Value.Errorf("is empty; write Last orders: Wed 23 December, 12:00")
		}
		facts = append(facts, Fact{e.Key, text})
	}
	return facts
}

func readSteps(v strictyaml.Value) []Step {
	var steps []Step
	for _, e := range v.Entries("stock counted: no") {
		checkName(e, "stock counted: no")
		done, _ := e.Value.Bool()
		steps = append(steps, Step{e.Key, done})
	}
	return steps
}

// checkName reports a fact's or step's name that nobody could read as one.
func checkName(e strictyaml.Entry, example string) {
	if strings.TrimSpace(e.Key) == "" || strings.ContainsAny(e.Key, "\n\t") {
		e.Value.Errorf("before the colon stands a name, in one line and without tabs; write %s", example)
	}
}

const exampleContact = `{label: Helpline, url: "tel:+351210000000"}`

func readContact(v strictyaml.Value) *Link {
	if !v.Present() {
		return nil
	}
	if !v.IsMap() {
		v.Errorf("a label and a url belong here; write contact: %s", exampleContact)
		return nil
	}
	link := ReadLink(v)
	return &link
}

// ReadLink reads a {label, url} pair, as notices and settings have it, and
// reports what is wrong with it.
func ReadLink(v strictyaml.Value) Link {
	v.Only("label", "url")
	v.Need("label", "Helpline")
	v.Need("url", `"tel:+351210000000"`)
	return Link{Label: readLabel(v.Get("label")), URL: readContactURL(v.Get("url"))}
}

func readLabel(v strictyaml.Value) string {
	label, ok := v.Text("Helpline")
	label = oneLine(label)
	switch length := utf8.RuneCountInString(label); {
	case ok && label == "":
		v.Errorf("is empty; write label: Helpline")
	case length > maxLabel:
		v.Errorf("has %d characters; a label may have %d: write label: Helpline, and the rest in the text", length, maxLabel)
	}
	return label
}

func readContactURL(v strictyaml.Value) string {
	link, ok := v.Text(`"tel:+351210000000"`)
	switch length := utf8.RuneCountInString(link); {
	case length > maxURL:
		v.Errorf("has %d characters; an address may have %d: write a shorter one", length, maxURL)
	case ok && isContact(spaceless(link)) && spaceless(link) != link:
		v.Errorf("an address has no spaces; write %q", spaceless(link))
	case ok && !isContact(link):
		v.Errorf("%q is no way to reach you; begin it with https://, http://, mailto:, tel: or sms:", strictyaml.Clip(link))
	}
	return link
}

func isContact(link string) bool {
	u, err := url.Parse(link)
	if err != nil || link != spaceless(link) {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Hostname() != ""
	case "mailto", "tel", "sms":
		return u.Opaque != ""
	}
	return false
}

// spaceless is an address as it has to be written where it holds spaces, as people
// write telephone numbers.
func spaceless(link string) string {
	words := strings.Fields(link)
	if strings.HasPrefix(link, "tel:") {
		return strings.Join(words, "")
	}
	return strings.Join(words, "%20")
}

// readBody cuts the Markdown at its update headings.
func (n *Notice) readBody(r *strictyaml.Report, body string, firstLine int, loc *time.Location) {
	from, keep := 0, func(text string) { n.Body = text }
	for _, h := range headings(r, []byte(body), firstLine) {
		u, ok := readUpdate(r, h, loc)
		if !ok {
			continue
		}
		keep(trimLines(body[from:h.start]))
		i := len(n.Updates)
		n.Updates = append(n.Updates, u)
		from, keep = h.end, func(text string) { n.Updates[i].Body = text }
	}
	keep(trimLines(body[from:]))
	n.checkUpdates(r)
}

// trimLines drops the blank lines around a text, but no indentation: that of the
// first line may make it code.
func trimLines(s string) string {
	const blank = " \t\v\f\n"
	last := len(strings.TrimRight(s, blank))
	if last == 0 {
		return ""
	}
	first := len(s) - len(strings.TrimLeft(s, blank))
	start := strings.LastIndexByte(s[:first], '\n') + 1
	if end := strings.IndexByte(s[last:], '\n'); end >= 0 {
		return s[start : last+end]
	}
	return s[start:]
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
