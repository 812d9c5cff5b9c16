// Package authority tells who published a notice, how we know, and whether they may.
//
// Where the settings name publishers, Judge holds a notice to their signatures, be
// they beside it or of the commit that it is from, and to their rights. Where they name none, Who says what there is to say, which
// is as good as its source: an unsigned git author and a file's owner are
// recorded, and marked as not verified.
package authority

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/backsoon/backsoon/internal/checkout"
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
	if checkout.Around(filepath.Dir(file)) {
		if by, ok := gitAuthor(file, src); ok {
			return by
		}
	}
	return owner(file)
}

func gitAuthor(file string, src []byte) (by ledger.By, ok bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dir, name := filepath.Split(file)
	committed, err := checkout.Command(ctx, dir, "cat-file", "blob", "HEAD:./"+name).Output()
	if err != nil || !bytes.Equal(committed, src) {
		return by, false
	}
	line, err := checkout.Command(ctx, dir, "log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%an%x00%ae", "HEAD", "--", name).Output()
	author, mail, found := strings.Cut(strings.TrimSuffix(string(line), "\n"), "\x00")
	if err != nil || !found {
		return by, false
	}
	return ledger.By{Name: author, Email: mail, How: viaGit}, true
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
