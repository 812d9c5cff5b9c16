package checkout

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const folder = "content/closures"

// repository is a real one, untouched by the settings of whoever runs the tests.
type repository struct {
	*testing.T
	dir string
}

func newRepository(t *testing.T, init ...string) repository {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(home, "gitconfig"))
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	r := repository{t, filepath.Join(t.TempDir(), "site")}
	execute(r, "", "git", append(append([]string{"init", "-q", "-b", "main"}, init...), r.dir)...)
	return r
}

func execute(r repository, stdin, name string, args ...string) string {
	r.Helper()
	cmd := exec.Command(name, args...)
	if _, err := os.Stat(r.dir); err == nil {
		cmd.Dir = r.dir
	}
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r repository) git(args ...string) string {
	r.Helper()
	return execute(r, "", "git", append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@a.example"}, args...)...)
}

func (r repository) write(name, text string) {
	r.Helper()
	file := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		r.Fatal(err)
	}
}

// commit writes a notice and commits all there is.
func (r repository) commit(name, text string) string {
	r.Helper()
	r.write(folder+"/"+name, text)
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", "a change")
	return r.git("rev-parse", "HEAD")
}

// reader reads the checkout around a folder in it.
func (r repository) reader(sub string) *Reader {
	r.Helper()
	c, err := Find(r.Context(), filepath.Join(r.dir, sub))
	if err != nil || c == nil {
		r.Fatalf("%v, %v", c, err)
	}
	reader := c.Read(r.Context(), folder)
	r.Cleanup(reader.Close)
	return reader
}

func (r repository) head(reader *Reader) (id string, files map[string]Entry) {
	r.Helper()
	id, err := reader.Head()
	if err == nil && id != "" {
		files, err = reader.Files(id)
	}
	if err != nil {
		r.Fatal(err)
	}
	return id, files
}

func TestHead(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			r := newRepository(t, "--object-format="+format)
			if id, _ := r.head(r.reader("")); id != "" {
				t.Errorf("HEAD is %q before the first commit", id)
			}
			r.write("shop/content/closures/b.md", "in a folder")
			want := r.commit("a.md", "one\r\n\x00")
			reader := r.reader("")
			id, files := r.head(reader)
			if id != want || len(files) != 1 {
				t.Fatalf("%s: %v, want %s", id, files, want)
			}
			if src, err := reader.Blob(files["a.md"], 6); err != nil || string(src) != "one\r\n\x00" {
				t.Errorf("%q, %v", src, err)
			}
			if _, err := reader.Blob(files["a.md"], 5); !errors.Is(err, ErrTooLarge) {
				t.Errorf("too large: %v", err)
			}
			if src, err := reader.Blob(files["a.md"], 6); err != nil || string(src) != "one\r\n\x00" {
				t.Errorf("afterwards: %q, %v", src, err)
			}
			if _, files := r.head(r.reader("shop")); len(files) != 1 || !files["b.md"].Regular() {
				t.Errorf("of the folder: %v", files)
			}
			if _, files := r.head(r.reader("shop/content")); len(files) != 0 {
				t.Errorf("where there are none: %v", files)
			}
		})
	}
}

func TestFind(t *testing.T) {
	if c, err := Find(t.Context(), t.TempDir()); c != nil || err != nil || Around(t.TempDir()) {
		t.Errorf("outside: %v, %v", c, err)
	}
	r := newRepository(t)
	want := r.commit("a.md", "one")
	other := filepath.Join(t.TempDir(), "other")
	r.git("worktree", "add", "-q", "-b", "topic/new", other)
	c, err := Find(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	reader := c.Read(t.Context(), folder)
	defer reader.Close()
	if id, err := reader.Head(); id != want || err != nil {
		t.Errorf("in a work tree: %s, %v", id, err)
	}
	gitDir := filepath.Join(r.dir, ".git")
	wanted := []string{filepath.Join(gitDir, "worktrees/other"), gitDir, filepath.Join(gitDir, "refs/heads"), filepath.Join(gitDir, "refs/heads/topic")}
	if got := c.Folders(); !slices.Equal(got, wanted) {
		t.Errorf("folders %q, want %q", got, wanted)
	}
	if err := os.WriteFile(filepath.Join(gitDir, "worktrees/other/index.lock"), nil, 0o600); err != nil || !c.Busy() {
		t.Errorf("with a lock: %v, busy: %v", err, c.Busy())
	}
	if c, err := Find(t.Context(), r.dir); err != nil || c.Busy() {
		t.Errorf("the other one: %v", err)
	}
	broken := t.TempDir()
	if err := os.Mkdir(filepath.Join(broken, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(t.Context(), broken); err == nil || !strings.Contains(err.Error(), "git: not a git repository") {
		t.Errorf("what only looks like one: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(t.Context(), r.dir); err == nil || !strings.Contains(err.Error(), "git isn't installed here; install it") {
		t.Errorf("without git: %v", err)
	}
}

// TestForged: whatever the repository says beside its objects, or in their place, is
// not believed.
func TestForged(t *testing.T) {
	r := newRepository(t)
	r.commit("a.md", "one")
	was := r.git("rev-parse", "HEAD")
	r.commit("a.md", "two")
	id, files := r.head(r.reader(""))

	r.git("replace", id, was)
	r.write(".git/info/grafts", id+"\n")
	r.git("commit-graph", "write")
	reader := r.reader("")
	if got, now := r.head(reader); got != id || now["a.md"] != files["a.md"] {
		t.Errorf("replaced: %s %v", got, now)
	}
	if missing, err := reader.Missing(id, []string{was}); err != nil || len(missing) > 0 {
		t.Errorf("grafted: %v, %v", missing, err)
	}
	for _, object := range []string{files["a.md"].ID, r.git("rev-parse", "HEAD:content"), id} {
		kind := r.git("cat-file", "-t", object)
		body := map[string]string{"blob": "twi", "tree": "100644 a.md\x00aaaaaaaaaaaaaaaaaaaa", "commit": "tree " + id + "\nparent " + was + "\n\n"}[kind]
		r.forge(object, fmt.Sprintf("%s %d\x00%s", kind, len(body), body))
		reader := r.reader("")
		_, _, err := reader.object(object, kind, maxTree)
		if err == nil || !strings.Contains(err.Error(), "has other bytes than its name says") && !strings.Contains(err.Error(), "hash mismatch") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// forge puts other bytes in the place of an object.
func (r repository) forge(object, body string) {
	r.Helper()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write([]byte(body))
	z.Close()
	file := filepath.Join(r.dir, ".git/objects", object[:2], object[2:])
	if err := errors.Join(os.Remove(file), os.WriteFile(file, packed.Bytes(), 0o444)); err != nil {
		r.Fatal(err)
	}
}

// TestOrigins holds the commits that files are from against what git says, over random
// histories with merges.
func TestOrigins(t *testing.T) {
	for seed := range uint64(5) {
		r, random := newRepository(t), rand.New(rand.NewPCG(seed, 1))
		r.commit("a.md", "a")
		for step := range 40 {
			name := string(rune('a'+random.IntN(4))) + ".md"
			switch random.IntN(6) {
			case 0:
				r.git("branch", "-f", "side")
			case 1:
				if r.git("branch", "--list", "side") != "" {
					r.git("switch", "-q", "side")
					r.commit(name, fmt.Sprint("side ", step))
					r.git("switch", "-q", "main")
				}
			case 2:
				if r.git("branch", "--list", "side") != "" {
					r.git("merge", "-q", "-X", []string{"ours", "theirs"}[random.IntN(2)], "-m", "merge", "side")
				}
			default:
				r.commit(name, fmt.Sprint(random.IntN(3))) // back and forth
			}
		}
		reader := r.reader("")
		id, files := r.head(reader)
		origins, err := reader.Origins(id, slices.Collect(maps.Keys(files)))
		if err != nil {
			t.Fatal(err)
		}
		for name := range files {
			want := r.git("rev-list", "-1", "HEAD", "--", folder+"/"+name)
			if o := origins[name]; o.Err != nil || o.ID != want {
				t.Errorf("seed %d: %s is from %v (%v), want %s\n%s", seed, name, o.Commit, o.Err, want, r.git("log", "--graph", "--oneline", "--stat"))
			}
		}
		for _, commit := range strings.Fields(r.git("rev-list", "--all")) {
			missing, err := reader.Missing(id, []string{commit})
			ancestor := exec.Command("git", "-C", r.dir, "merge-base", "--is-ancestor", commit, "HEAD").Run() == nil
			if err != nil || (len(missing) == 0) != ancestor {
				t.Errorf("seed %d: %s missing %v, %v; git says ancestor: %v", seed, commit, missing, err, ancestor)
			}
		}
	}
}

func TestShallow(t *testing.T) {
	r := newRepository(t)
	first := r.commit("a.md", "one")
	r.commit("b.md", "two")
	r.commit("c.md", "three")
	clone := repository{t, filepath.Join(t.TempDir(), "clone")}
	execute(clone, "", "git", "clone", "-q", "--depth=1", "file://"+r.dir, clone.dir)
	reader := clone.reader("")
	id, _ := r.head(reader)
	origins, err := reader.Origins(id, []string{"a.md", "b.md"})
	if err != nil || !errors.Is(origins["a.md"].Err, ErrCut) || !errors.Is(origins["b.md"].Err, ErrCut) {
		t.Errorf("%v, %v", origins, err)
	}
	if missing, err := reader.Missing(id, []string{first}); !errors.Is(err, ErrCut) || len(missing) != 1 {
		t.Errorf("%v, %v", missing, err)
	}
}

// TestTooLong: git has to answer in time.
func TestTooLong(t *testing.T) {
	r := newRepository(t)
	r.commit("a.md", "one")
	c, err := Find(t.Context(), r.dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	reader := c.Read(ctx, folder)
	defer reader.Close()
	id, err := reader.Head()
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := reader.Files(id); err == nil {
		t.Error("it was waited for")
	}
	if _, err := reader.Origins(id, []string{"a.md"}); err == nil || !strings.Contains(err.Error(), "git took too long") {
		t.Error(err)
	}
}

func TestParseTree(t *testing.T) {
	id := strings.Repeat("x", 20)
	for tree, want := range map[string]int{
		"":                                       0,
		"100644 a\x00" + id:                      1,
		"100644 a\x00" + id + "40000 b\x00" + id: 2,
		"100644 a\x00" + id + "100644 a\x00" + id: -1,
		"100644 a\x00" + id[1:]:                   -1,
		"100644\x00" + id:                         -1,
		"100644 a":                                -1,
	} {
		entries, err := parseTree([]byte(tree), 20)
		if (err != nil) != (want < 0) || err == nil && len(entries) != want {
			t.Errorf("%q: %v, %v", tree, entries, err)
		}
	}
}
