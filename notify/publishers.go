package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/locale"
)

// Whoever can write backsoon.yaml can name publishers. So a watcher that begins to
// reconcile holds who may publish, by its settings, against what the log last said
// of it. Another answer is logged, and told to the owner and to each publisher whom
// it concerns.
//
// Of several watchers one may have older settings than the others. One that takes
// over in another place with what the log has as replaced doesn't bring that back: it
// carries out what was accepted, and accepts nothing.

// guard looks once each time that the watcher begins to reconcile.
func (r *round) guard() (entries []ledger.Entry, alerts []alert, err error) {
	if r.guarded {
		return nil, nil, nil
	}
	recorded, err := r.tx.Publishers()
	if err != nil {
		return nil, nil, err
	}
	r.tx.AfterCommit(func() { r.guarded = true })
	recorded = append(recorded, publishersOf(&config.Config{})) // nobody, at first
	before, now := recorded[0], publishersOf(r.Config)
	same := before.Same(now)
	r.replaced = !same && r.folder.elsewhere && slices.ContainsFunc(recorded, now.Same)
	switch {
	case same:
		return nil, nil, nil
	case r.replaced:
		return nil, []alert{replacedAlert(r.Place)}, nil
	}
	by := r.Who(config.File, r.Config.Source)
	e := ledger.Entry{Time: r.now, Event: ledger.PublishersChanged, By: &by, Before: &before, After: &now}
	return []ledger.Entry{e}, r.publisherAlerts(before, now, by), nil
}

// publishersOf is who may publish by the settings.
func publishersOf(cfg *config.Config) ledger.Publishers {
	all := ledger.Publishers{People: []ledger.Publisher{}, Needs: map[string]int{}}
	for _, p := range cfg.Publishers {
		one := ledger.Publisher{Name: p.Name, Email: p.Email, Touch: string(p.Touch), Keys: []string{}, May: []string{}, Storefronts: slices.Sorted(slices.Values(p.Storefronts))}
		for _, key := range p.Keys {
			one.Keys = append(one.Keys, ssh.FingerprintSHA256(key))
		}
		for _, right := range config.Rights {
			if slices.Contains(p.May, right) {
				one.May = append(one.May, string(right))
			}
		}
		if !p.Expires.IsZero() {
			one.Expires = p.Expires.UTC()
		}
		slices.Sort(one.Keys)
		all.People = append(all.People, one)
	}
	slices.SortFunc(all.People, func(a, b ledger.Publisher) int { return strings.Compare(a.Email, b.Email) })
	for right, n := range cfg.Needs {
		if n > 1 {
			all.Needs[string(right)] = n
		}
	}
	return all
}

const replacedProblem = "can't be judged here: this machine's backsoon.yaml has publishers that were replaced since; bring it up to date and restart this watcher"

func replacedAlert(place string) alert {
	return alert{
		subject: "A watcher has older settings",
		text: "The watcher that has taken over (" + place + ") has a backsoon.yaml whose publishers were replaced since. What was accepted is carried " +
			"out as before, but no notice is accepted there.\n\nBring backsoon.yaml up to date on that machine and restart its watcher. If it is these " +
			"settings that are to count, restarting it is enough.\n",
	}
}

// publisherAlerts tells the owner of all that has changed, and each publisher of what
// concerns them.
func (r *round) publisherAlerts(before, after ledger.Publishers, by ledger.By) []alert {
	differences := compare(before, after, r.Config.Shop.Location)
	whose := cmp.Or(by.Name, by.Email, "nobody known") + " (" + by.How + ", not verified)"
	all := alert{subject: "Who may publish was changed", text: "backsoon.yaml says something new about who may publish notices, and that counts from now on:\n\n" +
		list(differences) + "\nThe file is by " + whose + ". If this wasn't intended, put `publishers` and `needs` back as they were, restart the watcher, and find " +
		"out who can write backsoon.yaml. `backsoon log` tells what was published meanwhile.\n"}
	alerts := []alert{all}
	for _, address := range concerned(differences) {
		if slices.ContainsFunc(r.Config.Alerts, func(a string) bool { return strings.EqualFold(a, address) }) {
			continue
		}
		alerts = append(alerts, alert{
			to: []string{address}, subject: "What you may publish was changed",
			text: "The settings of " + r.Config.Shop.Name + " say something new about you, and that counts from now on:\n\n" +
				list(about(differences, address)) + "\nThe file is by " + whose + ". If you don't know of this, ask whoever runs the shop before you sign anything: " +
				"with a key that stands under your name but isn't yours, somebody else can publish in your name.\n",
		})
	}
	return alerts
}

// difference is what has changed for somebody.
type difference struct {
	who   string
	to    []string // their addresses, before and after
	lines []string
}

func list(differences []difference) string {
	var b strings.Builder
	for _, d := range differences {
		fmt.Fprintf(&b, "  %s %s\n", d.who, strings.Join(d.lines, ";\n    "))
	}
	return b.String()
}

// concerned lists whom the differences are about, each address once.
func concerned(differences []difference) (addresses []string) {
	for _, d := range differences {
		for _, address := range d.to {
			if !slices.Contains(addresses, address) {
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}

func about(differences []difference, address string) (own []difference) {
	for _, d := range differences {
		if slices.Contains(d.to, address) {
			own = append(own, d)
		}
	}
	return own
}

// PublishersChanged says in words what has changed, a line for each person, and for
// each right whose number of people has; times are in the zone.
func PublishersChanged(before, after ledger.Publishers, zone *time.Location) (lines []string) {
	for _, d := range compare(before, after, zone) {
		lines = append(lines, d.who+" "+strings.Join(d.lines, ", "))
	}
	return lines
}

func compare(before, after ledger.Publishers, zone *time.Location) (all []difference) {
	for _, p := range after.People {
		old, known := counterpart(p, before.People, after.People)
		d := difference{who: p.Name, to: []string{p.Email}}
		if known && !strings.EqualFold(old.Email, p.Email) {
			d.to = append(d.to, old.Email)
		}
		if known {
			d.lines = changed(old, p, zone)
		} else {
			d.lines = []string{"is a publisher now, and " + may(p.May) + " on " + english(p.Storefronts), "signs with " + english(p.Keys) + conditions(p, zone)}
		}
		if len(d.lines) > 0 {
			all = append(all, d)
		}
	}
	for _, p := range before.People {
		if _, stays := counterpart(p, after.People, before.People); !stays {
			all = append(all, difference{p.Name, []string{p.Email}, []string{"is no publisher any more", gone(p.Keys)}})
		}
	}
	return append(all, compareNeeds(before, after)...)
}

// counterpart finds the same person among others: by the address, or by the name
// where the address was changed.
func counterpart(p ledger.Publisher, among, beside []ledger.Publisher) (ledger.Publisher, bool) {
	for _, o := range among {
		if strings.EqualFold(o.Email, p.Email) {
			return o, true
		}
	}
	for _, o := range among {
		taken := slices.ContainsFunc(beside, func(b ledger.Publisher) bool { return strings.EqualFold(b.Email, o.Email) })
		if strings.EqualFold(o.Name, p.Name) && !taken {
			return o, true
		}
	}
	return ledger.Publisher{}, false
}

// changed lists what is new about a person.
func changed(old, p ledger.Publisher, zone *time.Location) (lines []string) {
	say := func(differs bool, format string, args ...any) {
		if differs {
			lines = append(lines, fmt.Sprintf(format, args...))
		}
	}
	lost, gained := without(old.May, p.May), without(p.May, old.May)
	left, entered := without(old.Storefronts, p.Storefronts), without(p.Storefronts, old.Storefronts)
	goneKeys, newKeys := without(old.Keys, p.Keys), without(p.Keys, old.Keys)
	say(old.Name != p.Name, "was called %s", old.Name)
	say(old.Email != p.Email, "is reached at %s, no longer at %s", p.Email, old.Email)
	say(len(gained) > 0, "may now %s", english(gained))
	say(len(lost) > 0, "may no longer %s", english(lost))
	say(len(entered) > 0, "speaks for %s, too", english(entered))
	say(len(left) > 0, "no longer speaks for %s", english(left))
	say(len(newKeys) > 0, "also signs with %s", english(newKeys))
	say(len(goneKeys) > 0, "%s", gone(goneKeys))
	say(old.Touch != p.Touch, "%s, before: %s", touch(p.Touch), touch(old.Touch))
	say(!old.Expires.Equal(p.Expires), "has keys that %s, before: %s", expiry(p.Expires, zone), expiry(old.Expires, zone))
	return lines
}

// compareNeeds tells everybody who holds a right when another number of people is
// asked for.
func compareNeeds(before, after ledger.Publishers) (all []difference) {
	for _, right := range config.Rights {
		r := string(right)
		was, is := max(1, before.Needs[r]), max(1, after.Needs[r])
		if was == is {
			continue
		}
		d := difference{who: "To " + r, lines: []string{fmt.Sprintf("takes %s now, not %d", counted(is, "publisher"), was)}}
		for _, p := range slices.Concat(before.People, after.People) {
			if slices.Contains(p.May, r) && !slices.Contains(d.to, p.Email) {
				d.to = append(d.to, p.Email)
			}
		}
		all = append(all, d)
	}
	return all
}

func without(these, those []string) []string {
	return slices.DeleteFunc(slices.Clone(these), func(s string) bool { return slices.Contains(those, s) })
}

func english(names []string) string { return locale.English().List(names) }

func may(rights []string) string { return "may " + english(rights) }

func gone(keys []string) string {
	if len(keys) == 1 {
		return keys[0] + " no longer counts"
	}
	return english(keys) + " no longer count"
}

func conditions(p ledger.Publisher, zone *time.Location) (text string) {
	if p.Touch != "" {
		text += ", " + touch(p.Touch)
	}
	if !p.Expires.IsZero() {
		text += ", which " + expiry(p.Expires, zone)
	}
	return text
}

func touch(t string) string {
	switch config.Touch(t) {
	case config.TouchRequired:
		return "only by a security key"
	case config.TouchVerified:
		return "only by a security key and its PIN or fingerprint"
	}
	return "by any key"
}

func expiry(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "never end"
	}
	return "end on " + t.In(zone).Format(time.DateOnly)
}
