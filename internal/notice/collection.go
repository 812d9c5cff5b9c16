package notice

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

// Surroundings is what the settings say that notices are held to.
type Surroundings struct {
	Location    *time.Location // the shop's
	Storefronts []string
	Languages   []string // of the pages, the notices' own first
}

// Collection is all the notices of a site's folder with their translations, and
// all that is wrong with them. It can be read again and again, and parses only
// what has changed.
type Collection struct {
	dir     string
	around  Surroundings
	entries []*reading        // sorted by slug, and those of one slug by the file's name
	alike   bool              // two notices may have the same bytes
	joined  map[string]joined // by slug
}

// reading is one file as it was read last.
type reading struct {
	name        string // winter-break.md
	file        File   // without its Src
	sum         [sha256.Size]byte
	notice      *Notice      // nil: a translation, or nothing could be read
	translation *Translation // nil: a notice, or nothing could be read
	problems    strictyaml.Problems
	clean       time.Time // when nothing was wrong with the notice; zero: it wasn't looked at, or something is
}

// joined is a notice with its translations, and what it was made of.
type joined struct {
	parts []*reading
	whole *Notice
}

// NewCollection is the notices of the site at dir, of which none is read yet.
func NewCollection(dir string, around Surroundings) *Collection {
	return &Collection{dir: dir, around: around, joined: map[string]joined{}}
}

// Read reads the whole folder. It fails if the folder cannot be read: a file
// that cannot is one of the problems.
func (c *Collection) Read() error {
	names, err := Names(c.dir)
	if err != nil {
		return err
	}
	entries := make([]*reading, len(names))
	for i, name := range names {
		entries[i] = c.read(name, c.find(name))
	}
	slices.SortFunc(entries, func(e, o *reading) int { return e.compare(o.file.Slug, o.name) }) // a-2.md comes before a.md
	c.entries, c.alike = entries, alike(entries)
	return nil
}

// ReadOne reads the file of that name again, or finds that it is gone.
func (c *Collection) ReadOne(name string) {
	if !IsName(name) {
		return
	}
	var before *reading
	i, known := c.search(name)
	_, err := os.Lstat(filepath.Join(c.dir, Folder, name))
	if known {
		before, c.entries = c.entries[i], slices.Delete(c.entries, i, i+1)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	e := c.read(name, before)
	c.alike = c.alike || slices.ContainsFunc(c.entries, func(o *reading) bool { return o.sum == e.sum })
	c.entries = slices.Insert(c.entries, i, e)
}

func (c *Collection) search(name string) (i int, known bool) {
	slug, _ := Split(strings.TrimSuffix(name, ".md"))
	return slices.BinarySearchFunc(c.entries, name, func(e *reading, name string) int { return e.compare(slug, name) })
}

// compare places the file before or after that one.
func (e *reading) compare(slug, name string) int {
	if c := strings.Compare(e.file.Slug, slug); c != 0 {
		return c
	}
	return strings.Compare(e.name, name)
}

// find gives the file of that name as it was read last; nil where it was not.
func (c *Collection) find(name string) *reading {
	if i, known := c.search(name); known {
		return c.entries[i]
	}
	return nil
}

// read reads and parses a file, unless its bytes are those of before.
func (c *Collection) read(name string, before *reading) *reading {
	f := ReadFile(c.dir, name)
	e := &reading{name: name, file: f, sum: sha256.Sum256(f.Src)}
	if before != nil && before.file.Problem == nil && f.Problem == nil && before.sum == e.sum {
		return before
	}
	switch {
	case f.Problem != nil:
		e.problems = strictyaml.Problems{*f.Problem}
	case f.Language != "":
		e.translation, e.problems = ParseTranslation(f.Path, f.Name, f.Src, c.around.Location)
	default:
		e.notice, e.problems = read(f.Path, f.Slug, f.Src, c.around.Location)
	}
	e.file.Src = nil // there may be thousands
	return e
}

// Notices gives what can be read without an error as of now, sorted by slug and
// each with its translations, and all that is wrong. A notice in which nothing
// has changed is the very same one as before.
func (c *Collection) Notices(now time.Time) ([]*Notice, strictyaml.Problems) {
	var problems strictyaml.Problems
	var parts []*reading // of one slug: its files stand side by side
	notices := make([]*Notice, 0, len(c.entries))
	first := map[[sha256.Size]byte]string{}
	for i, e := range c.entries {
		found := c.check(e, now)
		if c.alike {
			found = append(found, e.renamed(first)...)
		}
		if problems = append(problems, found...); found.Err() == nil {
			parts = append(parts, e)
		}
		if i+1 < len(c.entries) && e.sharesSlug(c.entries[i+1]) {
			continue
		}
		if n := c.join(e.file.Slug, parts); n != nil {
			notices = append(notices, n)
		}
		parts = parts[:0]
	}
	problems.Sort()
	return notices, problems
}

// sharesSlug tells whether both are files of one notice. They are in different
// languages then, which is found out sooner.
func (e *reading) sharesSlug(o *reading) bool {
	return e.file.Language != o.file.Language && e.file.Slug == o.file.Slug
}

// check finds what is wrong with a file as of now.
func (c *Collection) check(e *reading, now time.Time) strictyaml.Problems {
	problems := slices.Clip(e.problems)
	switch {
	case e.notice != nil:
		if !e.clean.IsZero() && !now.Before(e.clean) {
			return nil // time makes no mistakes, it only mends them: see Notice.Check
		}
		problems = append(problems, e.notice.Check(e.file.Path, now, c.around.Storefronts)...)
		if len(problems) == 0 {
			e.clean = now
		}
	case e.translation != nil:
		of := c.find(e.file.Slug + ".md")
		problems = append(problems, e.translation.Check(e.file.Path, of.original(), of != nil, c.around.Languages)...)
	}
	return problems
}

// original is the notice that a file holds; nil where it holds none.
func (e *reading) original() *Notice {
	if e == nil || e.problems.Err() != nil {
		return nil
	}
	return e.notice
}

// alike tells whether two files have the same bytes.
func alike(entries []*reading) bool {
	sums := make(map[[sha256.Size]byte]bool, len(entries))
	for _, e := range entries {
		sums[e.sum] = true
	}
	return len(sums) < len(entries)
}

// renamed finds the same bytes under two slugs. The problem is with the later one,
// winter-2 and not winter, as that is more likely the copy. first has the slugs of
// those seen before.
func (e *reading) renamed(first map[[sha256.Size]byte]string) strictyaml.Problems {
	if e.notice == nil {
		return nil
	}
	if other, seen := first[e.sum]; seen {
		return strictyaml.Problems{RenameProblem(e.file.Path, other)}
	}
	first[e.sum] = e.file.Slug
	return nil
}

// join makes a notice with its translations of the files that it is made of.
func (c *Collection) join(slug string, parts []*reading) *Notice {
	if len(parts) == 1 {
		return parts[0].notice // nil where a translation stands alone
	}
	if old, ok := c.joined[slug]; ok && slices.Equal(old.parts, parts) {
		return old.whole
	}
	var n *Notice
	var translations []*Translation
	for _, e := range parts {
		if e.notice != nil {
			n = e.notice
		} else {
			translations = append(translations, e.translation)
		}
	}
	if n != nil {
		n = n.Translated(translations)
	}
	c.joined[slug] = joined{slices.Clone(parts), n}
	return n
}
