package ledger

import (
	"reflect"
	"testing"
	"time"
)

func TestTranslations(t *testing.T) {
	l := newLedger(t)
	accept(t, l, Version{Slug: "flood", SHA256: "s1", Content: []byte("one"), Accepted: t0, By: ada})
	translate := func(language, sha string, at time.Time) Translation {
		tr := Translation{Version{Slug: "flood." + language, SHA256: sha, Content: []byte(sha), Accepted: at, By: ada}, "flood", language}
		update(t, l, func(tx *Tx) (err error) {
			tr.ID, err = tx.AcceptTranslation(tr)
			return err
		})
		tr.Content = nil
		return tr
	}
	translate("pt", "s2", t0)
	de, pt := translate("de", "s3", t0), translate("pt", "s4", t0.Add(time.Minute))
	if got, want := read(t, l, (*Tx).Translations), []Translation{de, pt}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if owner := read(t, l, func(tx *Tx) (string, error) { return tx.ContentOwner("s2") }); owner != "flood.pt" {
		t.Errorf("what was accepted once is forgotten: %q", owner)
	}
	update(t, l, func(tx *Tx) error { return tx.WithdrawTranslation("flood", "de") })
	if got, want := read(t, l, (*Tx).Translations), []Translation{pt}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWordings(t *testing.T) {
	l := newLedger(t)
	want := []Wording{{"de", "Zu", "Text", "<p>"}, {"pt", "Fechado", "Texto", "<p>"}}
	c := Campaign{Slug: "flood", Kind: "closed", Created: t0, NotBefore: t0, Fired: t0, Subject: "Closed", Text: "Text", HTML: "<p>"}
	update(t, l, func(tx *Tx) (err error) {
		if c.ID, err = tx.AddCampaign(c); err != nil {
			return err
		}
		for _, w := range want {
			if err := tx.AddWording(c.ID, w); err != nil {
				return err
			}
		}
		return nil
	})
	if got := read(t, l, func(tx *Tx) ([]Wording, error) { return tx.Wordings(c.ID) }); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if in := c.In(want[1]); in.Subject != "Fechado" || in.ID != c.ID || c.Subject != "Closed" {
		t.Errorf("got %+v", in)
	}
}
