package ledger

import (
	"reflect"
	"testing"
	"time"
)

func TestCampaignRoundTrip(t *testing.T) {
	l := newLedger(t)
	last := followers(t, l, 3)[2].ID
	c := Campaign{Slug: "flood", Kind: "update", Item: t0.Add(time.Millisecond), Storefronts: []string{"web"}, Created: t0, NotBefore: t0.Add(time.Minute)}
	plain := Campaign{Slug: "flood", Kind: "closed", Created: t0, NotBefore: t0}
	update(t, l, func(tx *Tx) (err error) {
		if c.ID, err = tx.AddCampaign(c); err == nil {
			plain.ID, err = tx.AddCampaign(plain)
		}
		return err
	})
	plain.Storefronts = []string{}
	if got := read(t, l, (*Tx).OpenCampaigns); !reflect.DeepEqual(got, []Campaign{c, plain}) {
		t.Errorf("%+v, want %+v", got, []Campaign{c, plain})
	}
	c.NotBefore, c.Storefronts = t0.Add(time.Hour), []string{"web", "pos"}
	update(t, l, func(tx *Tx) error { return tx.PostponeCampaign(c) })
	if got := campaign(t, l, c.ID); !reflect.DeepEqual(got, c) {
		t.Errorf("postponed: %+v, want %+v", got, c)
	}
	c.Fired, c.Subject, c.Text, c.HTML, c.Last = t0.Add(2*time.Hour), "Closed", "text", "<p>html", last
	update(t, l, func(tx *Tx) error { return tx.Fire(c) })
	if got := campaign(t, l, c.ID); !reflect.DeepEqual(got, c) {
		t.Errorf("fired: %+v, want %+v", got, c)
	}
	newest := read(t, l, func(tx *Tx) ([]Campaign, error) { return tx.Campaigns(1) })
	if !reflect.DeepEqual(newest, []Campaign{plain}) {
		t.Errorf("newest: %+v", newest)
	}
}

// TestFiredIsFrozen: once it has fired nothing of a campaign changes any more.
func TestFiredIsFrozen(t *testing.T) {
	l := newLedger(t)
	followers(t, l, 3)
	c := fire(t, l, Campaign{Slug: "a", Kind: "closed", Subject: "Closed"})
	followers := c
	followers.Storefronts, followers.NotBefore = []string{"pos"}, t0.Add(time.Hour)
	words := c
	words.Subject, words.Fired = "Closed for longer", t0.Add(time.Hour)
	addSubscribers(t, l, Subscriber{Email: "late@example.com", Confirmed: t0})
	update(t, l, func(tx *Tx) error {
		if err := tx.PostponeCampaign(followers); err != nil {
			return err
		}
		if err := tx.Fire(words); err != nil {
			return err
		}
		return tx.DropCampaign(c.ID)
	})
	if got := campaign(t, l, c.ID); !reflect.DeepEqual(got, c) {
		t.Errorf("%+v, want %+v", got, c)
	}
}

func TestDropCampaign(t *testing.T) {
	l := newLedger(t)
	update(t, l, func(tx *Tx) error {
		id, err := tx.AddCampaign(Campaign{Slug: "a", Kind: "closed", Created: t0, NotBefore: t0})
		if err != nil {
			return err
		}
		return tx.DropCampaign(id)
	})
	if cs := read(t, l, (*Tx).OpenCampaigns); len(cs) != 0 {
		t.Errorf("%+v", cs)
	}
}

func TestFirstCampaign(t *testing.T) {
	l := newLedger(t)
	first := func(slug string) *Campaign {
		return read(t, l, func(tx *Tx) (*Campaign, error) { return tx.FirstCampaign(slug) })
	}
	update(t, l, func(tx *Tx) error {
		return must(tx.AddCampaign(Campaign{Slug: "a", Kind: "announced", Created: t0, NotBefore: t0}))
	})
	fire(t, l, Campaign{Slug: "b", Kind: "closed"})
	if c := first("a"); c != nil {
		t.Errorf("one that hasn't fired is the first: %+v", c)
	}
	fire(t, l, Campaign{Slug: "a", Kind: "closed", Fired: t0.Add(time.Hour)})
	earlier := fire(t, l, Campaign{Slug: "a", Kind: "update", Fired: t0})
	fire(t, l, Campaign{Slug: "a", Kind: "update", Fired: t0})
	update(t, l, func(tx *Tx) error { return must(tx.Finish(earlier.ID, t0)) })
	if c := first("a"); c == nil || c.ID != earlier.ID {
		t.Errorf("%+v, want number %d, though it is finished", c, earlier.ID)
	}
}

func TestFinish(t *testing.T) {
	l := newLedger(t)
	followers(t, l, 2)
	finish := func(id int64) bool {
		t.Helper()
		var done bool
		update(t, l, func(tx *Tx) (err error) {
			done, err = tx.Finish(id, t0.Add(time.Hour))
			return err
		})
		return done
	}
	var waiting int64
	update(t, l, func(tx *Tx) (err error) {
		waiting, err = tx.AddCampaign(Campaign{Slug: "a", Kind: "closed", Created: t0, NotBefore: t0})
		return err
	})
	c := fire(t, l, Campaign{Slug: "a", Kind: "update"})
	if finish(waiting) || finish(c.ID) {
		t.Error("finished before it was fired, or before its letters were written")
	}
	expandAll(t, l, c.ID, 10)
	for _, letter := range claim(t, l, t0, 10) {
		if finish(c.ID) {
			t.Error("finished with letters to send")
		}
		update(t, l, func(tx *Tx) error { return tx.LetterSent(letter) })
	}
	if !finish(c.ID) || finish(c.ID) {
		t.Error("not finished, or twice")
	}
	if got := campaign(t, l, c.ID); !got.Finished.Equal(t0.Add(time.Hour)) || got.Sent != 2 {
		t.Errorf("%+v", got)
	}
	if open := read(t, l, (*Tx).OpenCampaigns); len(open) != 1 || open[0].ID != waiting {
		t.Errorf("open: %+v", open)
	}
	if nobody := fire(t, newLedger(t), Campaign{Slug: "a", Kind: "closed"}); nobody.Last != 0 {
		t.Errorf("without subscribers it goes up to %d", nobody.Last)
	}
}
