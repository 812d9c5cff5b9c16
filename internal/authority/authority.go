// Package authority tells who published a notice, how we know, and whether they may.
//
// Where the settings name publishers, Judge holds a notice to their signatures and
// rights. Where they name none, Who says what there is to say, which
// is as good as its source: an unsigned git author and a file's owner are
// recorded, and marked as not verified.
package authority

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
)

// How we know who it was.
const (
	viaGit    = "git-author"  // the author line of the commit that HEAD's bytes come from
	viaSystem = "system-user" // the owner of the file
)

// patience bounds what git may take; the checkout waits for it.
const patience = 5 * time.Second

// Who tells who wrote src as the notice at path, which is relative to the
// site's folder: the author of the last commit that touched it where the folder
// is a git checkout and src is what HEAD holds, else the file's owner.
func Who(siteDir, path string, src []byte) ledger.By {
	file := filepath.Join(siteDir, filepath.FromSlash(path))
	if inCheckout(file) {
		if by, ok := gitAuthor(file, src); ok {
			return by
		}
	}
	return owner(file)
}

// inCheckout tells whether a folder above the file is a git checkout, without
// starting git where none is.
func inCheckout(file string) bool {
	dir, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return false
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

func gitAuthor(file string, src []byte) (by ledger.By, ok bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dir, name := filepath.Split(file)
	committed, err := git(ctx, dir, "cat-file", "blob", "HEAD:./"+name)
	if err != nil || !bytes.Equal(committed, src) {
		return by, false
	}
	line, err := git(ctx, dir, "log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%an%x00%ae", "HEAD", "--", name)
	author, mail, found := strings.Cut(strings.TrimSuffix(string(line), "\n"), "\x00")
	if err != nil || !found {
		return by, false
	}
	return ledger.By{Name: author, Email: mail, How: viaGit}, true
}

// git asks about a repository without running anything that the repository
// itself brings: hooks, file system monitors, pagers, textual conversions,
// signature checks, and the fetching of what a partial clone lacks. Nor does it
// heed variables that point to another repository, as a git hook has them.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	safe := []string{"-C", dir, "--no-pager", "--no-replace-objects", "--literal-pathspecs", "-c", "safe.directory=*",
		"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false"}
	cmd := exec.CommandContext(ctx, "git", append(safe, args...)...)
	inherited := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") })
	cmd.Env = append(inherited, "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "LC_ALL=C")
	cmd.WaitDelay = time.Second // should a child of git's outlive it
	return cmd.Output()
}

// owner is whose file it is; where it is gone or says nothing, who runs us.
func owner(file string) ledger.By {
	uid := strconv.Itoa(os.Getuid())
	if info, err := os.Lstat(file); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			uid = strconv.Itoa(int(st.Uid))
		}
	}
	return ledger.By{Name: nameOf(uid), How: viaSystem}
}

// nameOf is the full name of a user where the system knows one, else the login
// name, else the number.
func nameOf(uid string) string {
	u, err := user.LookupId(uid)
	if err != nil {
		return "user " + uid
	}
	return cmp.Or(strings.TrimSpace(u.Name), u.Username)
}
