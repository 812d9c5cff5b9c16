package authority

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backsoon/backsoon/internal/ledger"
)

const flood = "content/closures/flood.md"

var (
	ada = ledger.By{Name: "Ada Lovelace", Email: "ada@example.com", How: viaGit}
	bob = ledger.By{Name: "Bob", Email: "bob@example.com", How: viaGit}
)

// worktree is a git working tree in a folder of its own, untouched by the
// settings of whoever runs the tests.
type worktree struct {
	*testing.T
	dir string
}

func newCheckout(t *testing.T) worktree {
	t.Helper()
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	t.Setenv("HOME", t.TempDir())
	c := worktree{t, filepath.Join(t.TempDir(), "site")}
	c.git(ada, "init", "--quiet", c.dir)
	return c
}

// git runs git as the author.
func (c worktree) git(author ledger.By, args ...string) string {
	c.Helper()
	cmd := exec.Command("git", args...)
	if _, err := os.Stat(c.dir); err == nil {
		cmd.Dir = c.dir
	}
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME="+author.Name, "GIT_AUTHOR_EMAIL="+author.Email,
		"GIT_COMMITTER_NAME=A machine", "GIT_COMMITTER_EMAIL=machine@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (c worktree) write(path, text string) {
	c.Helper()
	file := filepath.Join(c.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		c.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		c.Fatal(err)
	}
}

// commit writes the file and commits it.
func (c worktree) commit(author ledger.By, path, text string) {
	c.Helper()
	c.write(path, text)
	c.git(author, "add", "--all")
	c.git(author, "commit", "--quiet", "--message", "a change")
}

// owned is what is said of a file that only its owner speaks for.
func owned(t *testing.T) ledger.By {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return ledger.By{Name: nameOf(u.Uid), How: viaSystem}
}

func (c worktree) check(path, src string, want ledger.By) {
	c.Helper()
	if got := Who(c.dir, path, []byte(src)); got != want {
		c.Errorf("%+v, want %+v", got, want)
	}
}

func TestGitAuthor(t *testing.T) {
	c := newCheckout(t)
	c.commit(ada, flood, "one")
	c.check(flood, "one", ada)
	c.commit(bob, flood, "two\r\n\x00\n\n")
	c.check(flood, "two\r\n\x00\n\n", bob)
	c.check(flood, "one", owned(t)) // what HEAD held once
	c.check(flood, "two\r\n\x00\n", owned(t))
}

func TestOnlyThisFilesCommitsCount(t *testing.T) {
	c := newCheckout(t)
	c.commit(ada, flood, "one")
	c.commit(bob, "content/closures/party.md", "party")
	c.commit(bob, "content/closures/flood.md.txt", "near")
	c.check(flood, "one", ada)
	c.check("content/closures/party.md", "party", bob)
}

func TestNotCommitted(t *testing.T) {
	c := newCheckout(t)
	c.write(flood, "one")
	c.check(flood, "one", owned(t)) // without any commit
	c.commit(ada, "README.md", "a site")
	c.git(ada, "rm", "--cached", "--quiet", flood)
	c.git(ada, "commit", "--quiet", "--message", "not this one")
	c.check(flood, "one", owned(t)) // untracked
	c.git(bob, "add", flood)
	c.check(flood, "one", owned(t)) // only in the index
	c.git(bob, "commit", "--quiet", "--message", "now")
	c.check(flood, "one", bob)
	c.write(flood, "two")
	c.check(flood, "two", owned(t)) // changed since
}

func TestRenamed(t *testing.T) {
	c := newCheckout(t)
	c.commit(ada, flood, "one")
	c.git(bob, "mv", flood, "content/closures/water.md")
	c.git(bob, "commit", "--quiet", "--message", "a better slug")
	c.check("content/closures/water.md", "one", bob)
	c.check(flood, "one", owned(t))
}

func TestMerged(t *testing.T) {
	c := newCheckout(t)
	c.commit(ada, "README.md", "a site")
	c.git(ada, "switch", "--quiet", "--create", "side")
	c.commit(ada, flood, "one")
	c.git(ada, "switch", "--quiet", "-")
	c.commit(bob, "README.md", "the site")
	c.git(bob, "merge", "--quiet", "--no-ff", "--message", "Merge", "side")
	c.check(flood, "one", ada)
}

func TestSiteInASubfolder(t *testing.T) {
	c := newCheckout(t)
	c.commit(ada, "shop/"+flood, "one")
	c.commit(bob, flood, "one")
	site := worktree{t, filepath.Join(c.dir, "shop")}
	site.check(flood, "one", ada)
}

func TestSiteBehindASymlink(t *testing.T) {
	c := newCheckout(t)
	c.commit(ada, "shop/"+flood, "one")
	site := worktree{t, filepath.Join(t.TempDir(), "current")}
	if err := os.Symlink(filepath.Join(c.dir, "shop"), site.dir); err != nil {
		t.Fatal(err)
	}
	site.check(flood, "one", ada)
}

func TestWorktree(t *testing.T) {
	c := newCheckout(t)
	c.commit(ada, flood, "one")
	other := worktree{t, filepath.Join(t.TempDir(), "other")}
	c.git(ada, "worktree", "add", "--quiet", "-b", "side", other.dir)
	other.check(flood, "one", ada)
	other.commit(bob, flood, "two")
	other.check(flood, "two", bob)
	c.check(flood, "one", ada)
}

func TestNoCheckout(t *testing.T) {
	c := worktree{t, t.TempDir()}
	c.write(flood, "one")
	c.check(flood, "one", owned(t))
	c.check("content/closures/gone.md", "one", owned(t))
}

// TestFileOfSomebodyElse needs the right to give files away, as root has it.
func TestFileOfSomebodyElse(t *testing.T) {
	c := worktree{t, t.TempDir()}
	c.write(flood, "one")
	want := owned(t)
	if os.Chown(filepath.Join(c.dir, flood), 54321, -1) == nil {
		want.Name = "user 54321"
	}
	c.check(flood, "one", want)
}

// TestCheckoutOfSomebodyElse: git itself would rather not look at it.
func TestCheckoutOfSomebodyElse(t *testing.T) {
	c := newCheckout(t)
	c.commit(ada, flood, "one")
	give := func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			_ = os.Lchown(path, 54321, -1) // only root can; for others it stays their own
		}
		return err
	}
	if err := filepath.WalkDir(c.dir, give); err != nil {
		t.Fatal(err)
	}
	c.check(flood, "one", ada)
}

func TestOddNames(t *testing.T) {
	c := newCheckout(t)
	for i, name := range []string{`Ada "Countess" O'Lovelace`, "Zoë 漢字", "$(touch x) `id`; --help", "%an\\n%x00", "a\nb"} {
		text := strings.Repeat("x", i+1)
		by := ledger.By{Name: name, Email: "o'ada+x@example.com", How: viaGit}
		c.commit(by, flood, text)
		by.Name = strings.ReplaceAll(name, "\n", "") // git keeps no line breaks in a name
		c.check(flood, text, by)
	}
}

// TestEnvironmentOfAHook: git runs its hooks with variables that point to
// another repository.
func TestEnvironmentOfAHook(t *testing.T) {
	other, c := newCheckout(t), newCheckout(t)
	other.commit(bob, flood, "one")
	c.commit(ada, flood, "one")
	t.Setenv("GIT_DIR", filepath.Join(other.dir, ".git"))
	t.Setenv("GIT_WORK_TREE", other.dir)
	t.Setenv("GIT_INDEX_FILE", filepath.Join(other.dir, ".git", "index"))
	c.check(flood, "one", ada)
}

func TestLanguageOfTheLog(t *testing.T) {
	c := newCheckout(t)
	zoe := ledger.By{Name: "Zoë", Email: "zoe@example.com", How: viaGit}
	c.commit(zoe, flood, "one")
	c.git(ada, "config", "i18n.logOutputEncoding", "ISO-8859-1")
	c.git(ada, "config", "color.ui", "always")
	c.git(ada, "config", "log.follow", "true")
	c.git(ada, "config", "log.decorate", "full")
	c.git(ada, "config", "format.pretty", "fuller")
	c.check(flood, "one", zoe)
}
