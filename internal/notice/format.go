package notice

import (
	"fmt"
	"strings"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// Format prints the notice in its canonical form: the keys that say something,
// in one order, then the text and the updates. Parse of it gives the same notice.
func (n *Notice) Format() []byte {
	var b strings.Builder
	b.WriteString("---\n")
	n.formatKeys(&b)
	b.WriteString("---\n")
	if n.Body != "" {
		b.WriteString("\n" + n.Body + "\n")
	}
	for _, u := range n.Updates {
		b.WriteString("\n" + u.heading() + "\n")
		if u.Body != "" {
			b.WriteString("\n" + u.Body + "\n")
		}
	}
	return []byte(b.String())
}

func (n *Notice) formatKeys(b *strings.Builder) {
	key := func(name, value string) { fmt.Fprintf(b, "%s: %s\n", name, value) }
	moment := func(name string, m Moment) {
		if !m.IsZero() {
			key(name, m.String())
		}
	}
	yes := func(name string, is bool) {
		if is {
			key(name, "yes")
		}
	}
	key("title", strictyaml.Scalar(n.Title))
	moment("published", n.Published)
	moment("closes", n.Closes)
	moment("reopens", n.Reopens)
	moment("reopened", n.Reopened)
	n.formatStorefronts(b)
	if n.CheckoutOn {
		key("checkout", "on")
	}
	n.formatLists(b)
	yes("draft", n.Draft)
	yes("cancelled", n.Cancelled)
}

func (n *Notice) formatStorefronts(b *strings.Builder) {
	if len(n.Storefronts) == 0 {
		return
	}
	ids := make([]string, len(n.Storefronts))
	for i, id := range n.Storefronts {
		ids[i] = strictyaml.Word(id)
	}
	fmt.Fprintf(b, "storefronts: [%s]\n", strings.Join(ids, ", "))
}

func (n *Notice) formatLists(b *strings.Builder) {
	if len(n.Facts) > 0 {
		b.WriteString("facts:\n")
	}
	for _, f := range n.Facts {
		fmt.Fprintf(b, "  %s: %s\n", strictyaml.Word(f.Label), strictyaml.Scalar(f.Text))
	}
	if n.Contact != nil {
		fmt.Fprintf(b, "contact: {label: %s, url: %s}\n", strictyaml.Word(n.Contact.Label), strictyaml.Quote(n.Contact.URL))
	}
	if len(n.Reopening) > 0 {
		b.WriteString("reopening:\n")
	}
	for _, s := range n.Reopening {
		done := map[bool]string{true: "yes", false: "no"}[s.Done]
		fmt.Fprintf(b, "  %s: %s\n", strictyaml.Word(s.Name), done)
	}
}

// heading is the update's, with a closing # where the title's own last one would
// be taken for it.
func (u Update) heading() string {
	h := strings.TrimSpace("## " + Moment{Time: u.At}.String() + " " + u.Title)
	if strings.HasSuffix(h, "#") {
		h += " #"
	}
	return h
}
