package notice

import (
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	now := time.Date(2026, 12, 26, 12, 0, 0, 0, time.UTC)
	front := func(lines string) string {
		return "---\ntitle: x\npublished: 2026-11-20\ncloses: 2026-12-24\n" + lines + "---\n"
	}
	for _, test := range []struct{ name, src, want string }{
		{"nothing", front("storefronts: [web]\n"), ""},
		{"reopened now", front("reopened: 2026-12-26 12:05\n"), ""},
		{"reopened ahead", front("reopened: 2026-12-26 12:06\n"),
			`5:11: reopened: 2026-12-26 12:06 is still to come; write reopened when the shop is open, and until then reopens: 2026-12-26 12:06`},
		{"update now", front("") + "## 2026-12-26 12:00 x\n", ""},
		{"update ahead", front("") + "## 2026-12-26 12:01 x\n", `6:1: update: 2026-12-26 12:01 is still to come; write the time`},
		{"unknown storefront", front("storefronts: [web, webb]\n"), `5:20: storefronts: backsoon.yaml has no storefront webb; did you mean web?`},
		{"far from any", front("storefronts: [warehouse]\n"), `has no storefront warehouse; write one of web, kiosk`},
		{"closure over", front("storefronts: [gone]\nreopens: 2026-12-25\n"), ""},
		{"closure cancelled", front("storefronts: [gone]\ncancelled: yes\n"), ""},
	} {
		got := mustParse(t, test.src).Check(floodFile, now, []string{"web", "kiosk"})
		if test.want == "" && len(got) > 0 || test.want != "" && (len(got) != 1 || !strings.Contains(got[0].String(), test.want)) {
			t.Errorf("%s: got %v, want %q", test.name, got, test.want)
		}
		inside(t, []byte(test.src), got)
	}
}

func TestCheckChange(t *testing.T) {
	now := time.Date(2026, 12, 26, 12, 0, 30, 0, time.UTC)
	ahead := mustParse(t, "---\ntitle: x\ncloses: 2026-12-30\n---\n")
	inForce := mustParse(t, "---\ntitle: x\ncloses: 2026-12-24\n---\n")
	for _, test := range []struct {
		name, line string
		prev       *Notice
		want       string
	}{
		{"first seen", "draft: yes", nil, ""},
		{"ahead", "cancelled: yes", ahead, ""},
		{"in force", "facts: {}", inForce, ""},
		{"draft", "draft: yes", inForce, `4:8: draft: yes on a closure that is in force already`},
		{"cancelled", "cancelled: yes", inForce, `4:12: cancelled: yes on a closure that is in force already would hide that the shop was closed; say reopened: 2026-12-26 12:00 instead`},
	} {
		n := mustParse(t, "---\ntitle: x\ncloses: 2026-12-24\n"+test.line+"\n---\n")
		got := n.CheckChange(floodFile, now, test.prev)
		if test.want == "" && len(got) > 0 || test.want != "" && (len(got) != 1 || !strings.Contains(got[0].String(), test.want)) {
			t.Errorf("%s: got %v, want %q", test.name, got, test.want)
		}
	}
}
