// Package checkout tells what the last commit of the git checkout around a site
// holds, and which commit each file is from.
//
// It takes nothing from git but bytes. Each object (git's word for a stored commit,
// folder or file) is hashed, and has to be the one that was asked for: from HEAD's
// commit to its trees, to a file, and back through the history. What a repository
// says beside that (replacements, grafts, the commit-graph, what is cached of any of
// them) has no say, and nothing that a repository brings is run.
package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Patience is how long reading a checkout may take, a whole history included.
const Patience = 30 * time.Second

// Checkout is the work tree around a folder, and its repository. The layout is that
// of gitrepository-layout(5).
type Checkout struct {
	gitDir    string // of this work tree: HEAD and index.lock are in it
	commonDir string // of the repository: its branches are in it
	prefix    string // of the folder, in the trees of commits: "shop/", or nothing
}

// Find gives the checkout that the folder lies in; nil: in none. An error says why
// git can't read it.
func Find(ctx context.Context, dir string) (*Checkout, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	top, found := above(dir)
	if !found {
		return nil, nil
	}
	dotGit := filepath.Join(top, ".git")
	out, err := run(Command(ctx, top, "--git-dir="+dotGit, "rev-parse", "--absolute-git-dir", "--git-common-dir"))
	if err != nil {
		return nil, err
	}
	gitDir, commonDir, _ := strings.Cut(strings.TrimSuffix(string(out), "\n"), "\n")
	if !filepath.IsAbs(commonDir) {
		commonDir = filepath.Join(top, commonDir)
	}
	prefix, err := filepath.Rel(top, dir)
	if prefix += "/"; prefix == "./" {
		prefix = ""
	}
	return &Checkout{gitDir, commonDir, filepath.ToSlash(prefix)}, err
}

// above gives the nearest folder that is a checkout's, the given one or above it,
// without starting git where there is none.
func above(dir string) (top string, found bool) {
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir, true
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
	}
}

// Around tells whether the folder lies in a checkout.
func Around(dir string) bool {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	_, found := above(dir)
	return found
}

// underWay are what stands in a git directory while git moves HEAD or writes the
// work tree, or while somebody is in the middle of doing so by hand.
var underWay = [...]string{"index.lock", "rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"}

// Busy tells whether git, or somebody with it, is at work in the checkout.
func (c *Checkout) Busy() bool {
	return slices.ContainsFunc(underWay[:], func(name string) bool {
		_, err := os.Lstat(filepath.Join(c.gitDir, name))
		return err == nil
	})
}

// Folders lists those in which something happens when HEAD moves or git begins to
// work: the branch's own may be one that isn't there while the branch is packed.
func (c *Checkout) Folders() []string {
	folders := []string{c.gitDir, c.commonDir, filepath.Join(c.commonDir, "refs", "heads"), filepath.Join(c.commonDir, "reftable")}
	head, err := os.ReadFile(filepath.Join(c.gitDir, "HEAD"))
	if ref, symbolic := strings.CutPrefix(string(head), "ref: "); err == nil && symbolic {
		heads := folders[2]
		for dir := filepath.Join(c.commonDir, filepath.Dir(ref)); strings.HasPrefix(dir, heads+"/"); dir = filepath.Dir(dir) {
			folders = append(folders, dir)
		}
	}
	return slices.DeleteFunc(folders, func(dir string) bool {
		_, err := os.Stat(dir)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// Command is git with these arguments, in the folder, so that it runs nothing that
// a repository itself brings: hooks, file system monitors, pagers, textual
// conversions, signature checks, and the fetching of what a partial clone lacks. Nor
// does it heed variables that point to another repository, as a git hook has them,
// nor what else would have it see another history than the commits tell.
func Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	safe := []string{"--no-pager", "--no-replace-objects", "--literal-pathspecs", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null",
		"-c", "core.fsmonitor=false", "-c", "core.commitGraph=false", "-c", "log.showSignature=false"}
	cmd := exec.CommandContext(ctx, "git", append(safe, args...)...)
	cmd.Dir = dir
	inherited := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") })
	cmd.Env = append(inherited, "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none",
		"GIT_GRAFT_FILE="+os.DevNull, "LC_ALL=C")
	cmd.WaitDelay = time.Second // should a child of git's outlive it
	return cmd
}

// run gives what git prints, or in the error what it complains about.
func run(cmd *exec.Cmd) ([]byte, error) {
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, failure(err, complaint.Bytes())
	}
	return out, nil
}

func failure(err error, complaint []byte) error {
	switch first, _, _ := strings.Cut(string(complaint), "\n"); {
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the notices are in a git checkout, and git isn't installed here; install it")
	case first != "":
		return fmt.Errorf("git: %s", strings.TrimPrefix(first, "fatal: "))
	}
	return fmt.Errorf("git: %w", err)
}
