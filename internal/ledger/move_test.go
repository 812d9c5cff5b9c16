package ledger

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/postgrestest"
)

// everything gives all rows of all tables, in a fixed order, as text.
func everything(t *testing.T, l *Ledger) (all []string) {
	t.Helper()
	return read(t, l, func(tx *Tx) ([]string, error) {
		for _, table := range moved {
			rs, err := tx.tx.QueryContext(tx.ctx, "SELECT * FROM "+table)
			if err != nil {
				return nil, err
			}
			columns, _ := rs.Columns()
			lines, err := take(rs, columns, 1<<30)
			rs.Close()
			if err != nil {
				return nil, err
			}
			for _, line := range lines {
				all = append(all, table+fmt.Sprintf("%v %q", columns, line))
			}
		}
		slices.Sort(all)
		return all, nil
	})
}

// forget leaves a seal alone of an address that is suppressed.
func forget(tx *Tx, email string) error {
	_, _, err := tx.Forget(email, "seal of "+email)
	return err
}

// aLife fills every table.
func aLife(t *testing.T, l *Ledger) {
	t.Helper()
	accept(t, l, Version{Slug: "flood", SHA256: "s1", Content: []byte("one\x00\xff"), Accepted: t0, By: ada})
	accept(t, l, Version{Slug: "flood", SHA256: "s2", Content: []byte{}, Accepted: t0.Add(time.Minute), By: ada, Commit: "c2"})
	last := followers(t, l, 2500)[2499]
	c := fire(t, l, Campaign{Slug: "flood", Kind: "closed", Subject: "Closed – é", Text: "t", HTML: "<p>"})
	expandAll(t, l, c.ID, 1000)
	claim(t, l, t0, 7)
	finish(t, beginImport(t, l), 0)
	update(t, l, func(tx *Tx) error {
		if _, err := tx.AcceptTranslation(Translation{Version{Slug: "flood.pt", SHA256: "s3", Content: []byte("x"), Accepted: t0, By: ada}, "flood", "pt"}); err != nil {
			return err
		}
		if _, err := changeState(tx); err != nil {
			return err
		}
		if err := errors.Join(tx.Suppress(last.ID, "550"), forget(tx, last.Email)); err != nil {
			return err
		}
		for _, err := range []error{
			must(tx.CountBounce(last.ID-1, "digest", "5.2.2", t0)),
			tx.Ask(Pending{Email: "dora@example.com", Expires: t0.Add(time.Hour)}, nil, t0),
			tx.Refuse(Refusal{"party", "s9", "no title", t0}), tx.AddWording(c.ID, Wording{"pt", "Fechado", "t", "<p>"}),
			tx.SaveEndpoint(Endpoint{Storefront: "web", URL: "u", Alerted: true, NextTry: t0}), must(tx.AddAlert([]string{"a@x"}, "s", "t", t0, t0)),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func TestMove(t *testing.T) {
	path, address := filepath.Join(t.TempDir(), "backsoon.db"), postgrestest.New(t)
	from := openAt(t, path)
	aLife(t, from)
	before := everything(t, from)
	copied, err := Move(context.Background(), path, address)
	if err != nil {
		t.Fatal(err)
	}
	to := openAt(t, address)
	if got := everything(t, to); !reflect.DeepEqual(got, before) {
		t.Errorf("%d rows, then %d, or others", len(before), len(got))
	}
	rows := 0
	for _, c := range copied {
		if rows += c.Rows; c.Rows == 0 {
			t.Errorf("nothing of %s was there to be copied", c.Table)
		}
	}
	if rows != len(before) || len(copied) != len(moved) {
		t.Errorf("it says %v", copied)
	}
	if back := addSubscribers(t, to, Subscriber{Email: "late@example.com", Confirmed: t0})[0]; back.ID != 2501 {
		t.Errorf("the next subscriber is number %d; 2500 is gone, and stays gone", back.ID)
	}
	update(t, to, func(tx *Tx) error { return must(changeState(tx)) })
	if log := covered(t, to); log.First != 0 || log.Size == 0 {
		t.Errorf("the log goes on as %+v", log)
	}
	if n := len(claim(t, to, t0, 9999)); n != 2499 {
		t.Errorf("%d letters go out, those that were under way included", n)
	}
	if _, err := Move(context.Background(), path, address); err == nil || !strings.Contains(err.Error(), "is not empty: its table versions has 3 rows") {
		t.Errorf("a second time: %v", err)
	}
	if got := everything(t, from); !reflect.DeepEqual(got, before) {
		t.Error("the old one has changed")
	}
}

// TestMoveAllOrNothing: every table is moved, and what fails leaves nothing behind.
func TestMoveAllOrNothing(t *testing.T) {
	path, address := filepath.Join(t.TempDir(), "backsoon.db"), postgrestest.New(t)
	from := openAt(t, path)
	aLife(t, from)
	to := openUnsigned(t, address)
	postgrestest.Exec(t, address, "ALTER TABLE audit ADD CHECK (idx < 0)") // the last table
	if _, err := Move(context.Background(), path, address); err == nil || !strings.Contains(err.Error(), "audit") {
		t.Errorf("%v", err)
	}
	if left := everything(t, to); len(left) > 0 {
		t.Errorf("%d rows are left", len(left))
	}
	tables := read(t, from, func(tx *Tx) ([]string, error) {
		return rows(tx, func(s scanner) (name string, err error) { err = s.Scan(&name); return },
			"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'leases'")
	})
	if len(tables) != len(moved) {
		t.Errorf("the ledger has %d tables, %d are moved", len(tables), len(moved))
	}
}
