package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
)

// How long a file must stand before it is believed.
const (
	quietWrite  = 100 * time.Millisecond // after a plain write: editors truncate first
	quietCreate = 10 * time.Millisecond  // a rename into place looks like a creation, but no write follows
	quietGone   = time.Second            // vim and git remove a file first; an empty one counts as gone
	quietRefuse = 2 * time.Second        // before the owner is told of a mistake
)

// folder watches the notices' files through what the file system says of them,
// whoever wrote them and however. It keeps no more than the last look.
type folder struct {
	site  string
	files map[string]*sighting // by slug
	hints map[string]time.Time // by slug: when a file that an event named may be read

	looked bool // at least once
}

// sighting is one file as it was last seen.
type sighting struct {
	stamp stamp
	since time.Time // when it was first seen like this
	ripe  time.Time // when it may be read
	read  bool
	gone  bool
	file  notice.File
	sha   string
}

// stamp tells one state of a file from another without reading it.
type stamp struct {
	inode        uint64
	size         int64
	mtime, ctime syscall.Timespec
	mode         fs.FileMode
}

func newFolder(site string) *folder {
	return &folder{site: site, files: map[string]*sighting{}, hints: map[string]time.Time{}}
}

// look compares the folder with the last look and reads what has been quiet for
// long enough. versions are the accepted contents by slug: one whose file isn't
// there is gone. wake is when it is worth looking again; zero: when something
// changes. An error means that the folder itself can't be read.
func (f *folder) look(now time.Time, versions map[string]string) (wake time.Time, err error) {
	entries, err := os.ReadDir(filepath.Join(f.site, notice.Folder))
	if err != nil {
		return time.Time{}, fmt.Errorf("%s can't be read: %w", notice.Folder, reason(err))
	}
	present := map[string]bool{}
	for _, e := range entries {
		if notice.IsName(e.Name()) {
			slug := strings.TrimSuffix(e.Name(), ".md")
			present[slug] = true
			f.see(slug, e.Name(), now)
		}
	}
	f.looked = true
	for slug := range f.files {
		f.miss(slug, present[slug], versions, now)
	}
	for slug := range versions {
		f.miss(slug, present[slug], versions, now)
	}
	return f.wake(now), nil
}

// reason is what went wrong, without the path that the caller names better.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// see brings one file's sighting up to date.
func (f *folder) see(slug, name string, now time.Time) {
	st, err := f.stampOf(name)
	if err != nil {
		return // gone between the listing and this: the next look tells
	}
	s, hint := f.files[slug], f.hints[slug]
	if s == nil || s.gone || s.stamp != st || !hint.IsZero() {
		s = &sighting{stamp: st, since: now, ripe: f.ripe(st, hint, now)}
		f.files[slug] = s
		delete(f.hints, slug)
	}
	if s.read || s.ripe.After(now) {
		return
	}
	s.file = notice.ReadFile(f.site, name)
	if after, err := f.stampOf(name); err != nil || after != st {
		return // written to while it was read: the next look starts anew
	}
	content := s.file.Src
	if len(content) == 0 && s.file.Problem != nil {
		content = []byte(s.file.Problem.Text) // nothing to tell two of them apart by but this
	}
	sum := sha256.Sum256(content)
	s.sha, s.read = hex.EncodeToString(sum[:]), true
}

// ripe is when a file that was just seen in this state may be read.
func (f *folder) ripe(st stamp, hint, now time.Time) time.Time {
	written := time.Unix(st.mtime.Unix())
	switch {
	case !f.looked && now.Sub(written) > quietGone:
		return now // it was quiet before anybody looked
	case st.size == 0:
		return now.Add(quietGone)
	case hint.IsZero():
		return now.Add(quietWrite)
	}
	return hint
}

// miss notes that a file which was seen, or is accepted, isn't there.
func (f *folder) miss(slug string, present bool, versions map[string]string, now time.Time) {
	s := f.files[slug]
	if present || (s != nil && s.gone) {
		return
	}
	if _, accepted := versions[slug]; !accepted {
		delete(f.files, slug)
		return
	}
	f.files[slug] = &sighting{gone: true, since: now, ripe: now.Add(quietGone)}
}

// hint notes when a file that an event named may be read, and gives that
// moment. A plain write is followed by more; a rename into place is whole.
func (f *folder) hint(slug string, ripe time.Time) time.Time {
	f.hints[slug] = ripe
	return ripe
}

// wake is the next moment at which a file may be read, believed or refused.
func (f *folder) wake(now time.Time) time.Time {
	var first time.Time
	for _, s := range f.files {
		for _, t := range []time.Time{s.ripe, s.since.Add(quietRefuse)} {
			if t.After(now) && (first.IsZero() || t.Before(first)) {
				first = t
			}
		}
	}
	return first
}

// unread tells whether a file that is there still waits to be read.
func (f *folder) unread() bool {
	for _, s := range f.files {
		if !s.gone && !s.read {
			return true
		}
	}
	return false
}

// restless tells whether a file waits to be read, or to be believed gone.
func (f *folder) restless(now time.Time) bool {
	for _, s := range f.files {
		if s.ripe.After(now) {
			return true
		}
	}
	return false
}

// stands tells whether the file has been like this for long enough to tell the
// owner what is wrong with it.
func (s *sighting) stands(now time.Time, impatient bool) bool {
	return impatient || !now.Before(s.since.Add(quietRefuse))
}

// believed tells whether what was seen may be acted on.
func (s *sighting) believed(now time.Time) bool { return s.read || (s.gone && !s.ripe.After(now)) }

func (f *folder) stampOf(name string) (stamp, error) {
	info, err := os.Lstat(filepath.Join(f.site, notice.Folder, name))
	if err != nil {
		return stamp{}, err
	}
	st := info.Sys().(*syscall.Stat_t)
	return stamp{st.Ino, st.Size, st.Mtim, st.Ctim, info.Mode()}, nil
}
