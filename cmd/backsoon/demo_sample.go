package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/backsoon/backsoon"
	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
)

// demoSubscribers ask to be told of the sample shop's closures.
var demoSubscribers = []string{"ada@example.org", "bento@example.org", "carla@example.com"}

// copySample puts the sample shop into the site's folder, with its settings
// turned to this machine and its notices to this year, and loads it.
func (s *site) copySample(at addresses, secret string, now time.Time) error {
	if err := os.MkdirAll(filepath.Join(s.dir, filepath.FromSlash(notice.Folder)), 0o755); err != nil {
		return err
	}
	text, err := sampleSettings(at, secret)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, config.File), []byte(text), 0o600); err != nil {
		return err
	}
	if err := s.load(); err != nil {
		return err
	}
	return fs.WalkDir(backsoon.Sample, notice.Folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		path, src, err := sampleNotice(path, now.In(s.cfg.Shop.Location))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(s.dir, filepath.FromSlash(path)), src, 0o644)
	})
}

// sampleSettings is the sample's backsoon.yaml with everything on loopback. Mail
// settles quickly, since whoever tries the demo waits for it.
func sampleSettings(at addresses, secret string) (string, error) {
	src, err := backsoon.Sample.ReadFile(config.File)
	if err != nil {
		return "", err
	}
	turned := []string{
		"https://status.harbourbooks.example/", at.status,
		"https://closures.harbourbooks.example/", at.customers,
		"http://127.0.0.1:9000/", at.shop,
		"https://harbourbooks.example\n", at.shop + "\n",
		"${WEB_SECRET}", secret,
		"smtp://127.0.0.1:2525", "smtp://" + at.smtp,
		"listen: 127.0.0.1:8080", "listen: " + strings.TrimSuffix(strings.TrimPrefix(at.customers, "http://"), "/"),
		"admin: 127.0.0.1:8081", "admin: " + at.operator,
		"settle: 60s", "settle: 2s",
	}
	for i := 0; i < len(turned); i += 2 {
		if !strings.Contains(string(src), turned[i]) {
			return "", fmt.Errorf("the sample's %s has no %q", config.File, turned[i])
		}
	}
	return strings.NewReplacer(turned...).Replace(string(src)), nil
}

// sampleNotice is one of the sample's notices and its path, moved by whole years:
// a closure that was over has been over for less than a year, and a coming one
// is at least two weeks ahead. now is in the shop's zone.
func sampleNotice(path string, now time.Time) (string, []byte, error) {
	text, err := backsoon.Sample.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	for _, year := range []int{now.Year(), now.Year() - 1, now.Year() + 1} {
		path, src := inYear(path, year), []byte(inYear(string(text), year))
		n, problems := notice.Parse(path, strings.TrimSuffix(filepath.Base(path), ".md"), src, now.Location())
		if n == nil {
			return "", nil, problems
		}
		past := !n.Reopened.IsZero() && n.Over(now)
		ahead := n.Reopened.IsZero() && n.Closes.After(now.AddDate(0, 0, 14))
		if ahead && n.Published.After(now) {
			src, err = notice.SetKey(src, "published", notice.Moment{Time: now.Truncate(time.Minute)}.String())
		}
		if past || ahead {
			return path, src, err
		}
	}
	return "", nil, fmt.Errorf("%s fits no year", path)
}

// inYear moves a text of the sample, which is written for 2026 and the winter
// after it, to another year.
func inYear(text string, year int) string {
	lastOrders := func(year int) string {
		return time.Date(year, time.December, 23, 0, 0, 0, 0, time.UTC).Format("Mon 2 January")
	}
	return strings.NewReplacer("2026", strconv.Itoa(year), "2027", strconv.Itoa(year+1),
		lastOrders(2026), lastOrders(year)).Replace(text)
}
