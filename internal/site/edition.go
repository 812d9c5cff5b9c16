package site

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/schedule"
)

// Files holds a site's files by their path relative to public/, with slashes.
type Files map[string][]byte

// Edition is a site as of one moment: every file that it has, each of them
// rendered when it is asked for.
type Edition struct{ files map[string]*file }

// file is one file of an edition. An edition that finds nothing changed in what
// a file depends on has the very same *file as the one before.
type file struct {
	path   string
	key    uint64                    // of all that it depends on; 0: that is rendered to be known
	render func(*bytes.Buffer) error // an error is the theme's, and names file and line
}

// snapshot is what all languages of an edition share.
type snapshot struct {
	Input
	states []schedule.State // in the order of the settings
	next   time.Time        // when a state next changes; zero: not foreseen
	voices []*voice         // the site's first language first
	tags   uint64           // the key of the languages
}

// Edition makes the next edition. An error is the theme's, and names file and line.
func (s *Site) Edition(in Input) (*Edition, error) {
	if !in.Drafts {
		in.Notices = slices.DeleteFunc(slices.Clone(in.Notices), func(n *notice.Notice) bool { return n.Draft })
	}
	snap := &snapshot{Input: in}
	ids := s.cfg.StorefrontIDs()
	snap.states, snap.next = schedule.Outlook(in.Notices, ids, in.Now)
	for i, tag := range s.cfg.LanguagesOf(in.Notices) {
		prefix := ""
		if i > 0 {
			prefix = tag + "/"
		}
		v, err := s.voice(tag, prefix)
		if err != nil {
			return nil, err
		}
		snap.voices = append(snap.voices, v)
		snap.tags = s.key(snap.tags, tag)
	}
	e := &Edition{files: make(map[string]*file, len(s.kept))}
	builders := make([]*builder, len(snap.voices))
	for i, v := range snap.voices {
		builders[i] = newBuilder(s, e, v, snap)
		builders[i].build()
	}
	err := builders[0].banner(builders)
	s.kept = e.files
	return e, err
}

// add puts a file into the edition that is to be rendered each time.
func (b *builder) add(path string, render func(*bytes.Buffer) error) {
	b.keep(path, 0, render)
}

// keep puts a file into the edition: the last edition's, where the key is the
// same.
func (b *builder) keep(path string, key uint64, render func(*bytes.Buffer) error) {
	path = b.voice.prefix + path
	if old := b.site.kept[path]; old != nil && key != 0 && old.key == key {
		b.edition.files[path] = old
		return
	}
	b.edition.files[path] = &file{path, key, render}
}

// exactly renders a file whose content is known.
func exactly(content []byte) func(*bytes.Buffer) error {
	return func(out *bytes.Buffer) error {
		out.Write(content)
		return nil
	}
}

// key is a number that stands for all the values; they have to be comparable.
func (s *Site) key(values ...any) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, v := range values {
		maphash.WriteComparable(&h, v)
	}
	return h.Sum64() | 1 // 0 stands for no key
}

// keyOf is the key of all the faces.
func (s *Site) keyOf(faces []*face) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	var number [8]byte
	for _, f := range faces {
		binary.NativeEndian.PutUint64(number[:], f.key)
		_, _ = h.Write(number[:]) // never fails
	}
	return h.Sum64()
}

// Len is how many files there are.
func (e *Edition) Len() int { return len(e.files) }

// Has tells whether there is a file at the path.
func (e *Edition) Has(path string) bool { return e.files[path] != nil }

// Render gives the content of the file at the path, which the edition must have.
func (e *Edition) Render(path string) ([]byte, error) {
	var content bytes.Buffer
	err := e.files[path].render(&content)
	return content.Bytes(), err
}

// Same tells whether the file at the path surely is the same in both editions,
// or in neither; one that says when it was made is not.
func (e *Edition) Same(o *Edition, path string) bool { return e.files[path] == o.files[path] }

// Check renders everything, and gives the first error.
func (e *Edition) Check() error {
	return renderAll(e.list(), func(*file, []byte) error { return nil })
}

// Files renders everything.
func (e *Edition) Files() (Files, error) {
	var mu sync.Mutex
	files := make(Files, len(e.files))
	err := renderAll(e.list(), func(f *file, content []byte) error {
		mu.Lock()
		defer mu.Unlock()
		files[f.path] = bytes.Clone(content)
		return nil
	})
	return files, err
}

func (e *Edition) list() []*file {
	list := make([]*file, 0, len(e.files))
	for _, f := range e.files {
		list = append(list, f)
	}
	return list
}

// renderAll renders the files on every processor and has each content taken, by
// several goroutines at once: it is theirs until they return. It gives the error of the first file that has one.
func renderAll(files []*file, take func(*file, []byte) error) error {
	errs := make([]error, len(files))
	var taken atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			var content bytes.Buffer
			for i := taken.Add(1) - 1; i < int64(len(files)) && !failed.Load(); i = taken.Add(1) - 1 {
				content.Reset()
				err := files[i].render(&content)
				if err == nil {
					err = take(files[i], content.Bytes())
				}
				if err != nil {
					errs[i] = err
					failed.Store(true)
				}
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
