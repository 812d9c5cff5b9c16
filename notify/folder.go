package notify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backsoon/backsoon/internal/checkout"
	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// How long a file must stand before it is believed.
const (
	quietWrite  = 100 * time.Millisecond // after a plain write: editors truncate first
	quietCreate = 10 * time.Millisecond  // a file that was moved here looks as if made here, but no write follows
	quietGone   = time.Second            // vim and git remove a file first; an empty one counts as gone
	quietRefuse = 2 * time.Second        // before the owner is told of a mistake
)

// folder watches the notices' files through what the file system says of them,
// whoever wrote them and however. It keeps no more than the last look.
type folder struct {
	site   string
	signed bool                 // a file's signatures are part of it
	files  map[string]*sighting // by slug
	news   map[string]bool      // slugs whose file may be other than accepted

	whole  bool // the next look is at all files, not only at the news
	looked bool // at all files, at least once

	elsewhere bool // a watcher in another place reconciled before: this folder may be an older copy
}

// sighting is one file as it was last seen.
type sighting struct {
	stamps
	since time.Time // when it was first seen like this
	ripe  time.Time // when it may be read
	found bool      // as the first look found it: whoever changed it did so before this watcher looked
	read  bool
	gone  bool
	file  notice.File
	sha   string
	by    *ledger.By // who wrote it; nil: nobody has asked yet

	signatures [][]byte         // nil: they don't matter
	origin     *checkout.Origin // the commit that it is from; nil: it was read in the work tree
	against    Basis            // see Committed
	state      string           // see stateOf
	text       string           // see contentOf
	committed  bool             // in the work tree: HEAD held the same, as long as this has stood
}

// stamps are of a file and of its signatures.
type stamps struct {
	stamp
	signatures [2]stamp // as notice.SignatureNames has them; zero: not there, or of no matter
}

// stamp tells one state of a file from another without reading it.
type stamp struct {
	inode        uint64
	size         int64
	mtime, ctime unix.Timespec
	mode         uint32
}

func newFolder(site string, signed bool) *folder {
	return &folder{site: site, signed: signed, files: map[string]*sighting{}, news: map[string]bool{}, whole: true}
}

// look compares the files with the last look and reads what has been quiet for
// long enough. versions are the accepted ones by slug: one whose file isn't
// there is gone. wake is when it is worth looking again; zero: when something
// changes. An error is why the folder itself can't be read; the next look is then
// at all of it.
func (f *folder) look(now time.Time, versions map[string]Basis) (wake time.Time, err error) {
	whole := f.whole
	f.whole = true
	if err := f.lookAt(whole, now, versions); err != nil {
		return now.Add(quietRefuse), reason(err)
	}
	f.whole, f.looked = false, f.looked || whole
	return f.wake(now), nil
}

func (f *folder) lookAt(whole bool, now time.Time, versions map[string]Basis) error {
	dir, err := os.Open(filepath.Join(f.site, notice.Folder))
	if err != nil {
		return err
	}
	defer dir.Close()
	if whole {
		if err := f.list(dir, versions); err != nil {
			return err
		}
	}
	for slug := range f.news {
		there, err := f.see(int(dir.Fd()), slug, now)
		if err != nil {
			return err
		}
		if !there {
			f.miss(slug, versions, now)
		}
	}
	return nil
}

// list makes news of all that is in the folder, or has been.
func (f *folder) list(dir *os.File, versions map[string]Basis) error {
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if notice.IsName(name) {
			f.news[strings.TrimSuffix(name, ".md")] = true
		}
	}
	for slug := range f.files {
		f.news[slug] = true
	}
	for slug := range versions {
		f.news[slug] = true
	}
	return nil
}

// reason is what went wrong, without the path, which the owner knows by another name.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// see brings the sighting of one file in the folder dir up to date, if it is there.
func (f *folder) see(dir int, slug string, now time.Time) (there bool, err error) {
	name := slug + ".md"
	st, err := f.stampsOf(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s := f.files[slug]
	if s == nil || s.gone || s.stamps != st {
		s = f.sight(slug, st, quietWrite, now)
	}
	if s.read || s.ripe.After(now) {
		return true, nil
	}
	s.file = notice.ReadFile(f.site, name)
	if f.signed {
		s.signatures = notice.ReadSignatures(f.site, name)
	}
	if after, err := f.stampsOf(dir, name); err != nil || after != st {
		f.sight(slug, after, quietWrite, now) // written to while it was read
		return true, nil
	}
	if s.sha, s.text = contentOf(s.file); s.file.Problem != nil {
		s.file.Src = nil // nobody reads it: there may be thousands
	}
	s.state, s.read = stateOf(s.sha, s.signatures, nil), true
	return true, nil
}

// contentOf gives the hash of a file's content, and the same with its line ends as git
// keeps them: it converts those of a work tree (gitattributes(5), text).
func contentOf(f notice.File) (sha, text string) {
	content := f.Src
	if len(content) == 0 && f.Problem != nil {
		content = []byte(f.Problem.Text) // nothing to tell two of them apart by but this
	}
	sum := sha256.Sum256(content)
	sha = hex.EncodeToString(sum[:])
	if !bytes.Contains(content, []byte("\r\n")) {
		return sha, sha
	}
	sum = sha256.Sum256(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")))
	return sha, hex.EncodeToString(sum[:])
}

// sight begins a new sighting, which is read once it has been quiet for so long.
func (f *folder) sight(slug string, st stamps, quiet time.Duration, now time.Time) *sighting {
	switch written := time.Unix(st.mtime.Unix()); {
	case !f.looked && now.Sub(written) > quietGone:
		quiet = 0 // it was quiet before anybody looked
	case st.size == 0:
		quiet = quietGone
	case quiet == quietCreate && st.mtime == st.ctime:
		quiet = quietWrite // written where it is: a move leaves a ctime later than the mtime
	}
	s := &sighting{stamps: st, since: now, ripe: now.Add(quiet), found: !f.looked}
	f.files[slug] = s
	return s
}

// miss notes that a file which was seen, or is accepted, isn't there.
func (f *folder) miss(slug string, versions map[string]Basis, now time.Time) {
	if s := f.files[slug]; s != nil && s.gone {
		return
	}
	if _, accepted := versions[slug]; !accepted {
		f.forget(slug)
		return
	}
	f.files[slug] = &sighting{gone: true, since: now, ripe: now.Add(quietGone), found: !f.looked}
}

// event notes that a file event named the file, and gives the moment at which
// it may be read. What is written behind the event is another state, which has
// to be quiet itself: the look sees it by the stamp.
func (f *folder) event(slug string, quiet time.Duration, now time.Time) time.Time {
	f.news[slug] = true
	st, err := f.stampsOf(unix.AT_FDCWD, filepath.Join(f.site, notice.Folder, slug+".md"))
	if err != nil {
		return now // gone again: the look tells
	}
	return f.sight(slug, st, quiet, now).ripe
}

// wake is the next moment at which a file may be read, believed or refused.
func (f *folder) wake(now time.Time) time.Time {
	var first time.Time
	for slug := range f.news {
		s := f.files[slug]
		for _, t := range [...]time.Time{s.ripe, s.since.Add(quietRefuse)} {
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

// forget lets go of a file that is gone for good.
func (f *folder) forget(slug string) {
	delete(f.files, slug)
	delete(f.news, slug)
}

// holds tells whether the file was there at the last look.
func (f *folder) holds(slug string) bool {
	s := f.files[slug]
	return s != nil && !s.gone
}

// believed tells whether what was seen may be acted on.
func (s *sighting) believed(now time.Time) bool { return s.read || (s.gone && !s.ripe.After(now)) }

// stampsOf looks at a file and, where they matter, at its signatures.
func (f *folder) stampsOf(dir int, name string) (st stamps, err error) {
	if st.stamp, err = stampOf(dir, name); err != nil || !f.signed {
		return st, err
	}
	for i, signature := range notice.SignatureNames(name) {
		st.signatures[i], err = stampOf(dir, signature)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return st, err
		}
	}
	return st, nil
}

// stampOf looks at a file, relative to the folder dir: thousands are looked at
// each time, and each whole path would be walked anew.
func stampOf(dir int, name string) (stamp, error) {
	var st unix.Stat_t
	err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return stamp{st.Ino, st.Size, st.Mtim, st.Ctim, st.Mode}, err
}
