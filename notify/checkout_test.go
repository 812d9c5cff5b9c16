package notify

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/internal/ledger"
	"github.com/backsoon/backsoon/internal/notice"
)

// gitShop is a shop whose folder is a checkout, in which people commit with keys that
// ssh-keygen made.
type gitShop struct {
	*bench
	keys string // their folder
}

// person is a publisher, or isn't, and has a key of that name.
type person struct{ name, may, more string }

var (
	adaMay = person{"Ada", everything, ""}
	bobMay = person{"Bob", "write, close", ", storefronts: [web]"}
)

// newGitShop begins a shop with these publishers, and a watcher that finds a checkout
// without any notice. Eve has a key and no rights.
func newGitShop(t *testing.T, settings string, publishers ...person) *gitShop {
	t.Helper()
	g := beginGitShop(t, settings, publishers...)
	g.settle()
	g.web.types()
	g.mailbox.letters()
	return g
}

// beginGitShop is newGitShop before its watcher looks.
func beginGitShop(t *testing.T, settings string, publishers ...person) *gitShop {
	t.Helper()
	g := &gitShop{keys: t.TempDir()}
	t.Setenv("HOME", g.keys)
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(g.keys, "gitconfig"))
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	text := "publishers:\n"
	for _, p := range append(publishers, person{name: "Eve"}) {
		command(t, g.keys, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", p.name, "-f", p.name)
		public, err := os.ReadFile(filepath.Join(g.keys, p.name+".pub"))
		if err != nil {
			t.Fatal(err)
		}
		if p.may != "" {
			text += "  - {name: " + p.name + ", email: " + strings.ToLower(p.name) + "@a.example, keys: [" + strings.TrimSpace(string(public)) + "], may: [" + p.may + "]" + p.more + "}\n"
		}
	}
	g.bench = newBench(t, "2026-11-20 10:00", text+settings)
	g.git("init", "-q", "-b", "main", ".")
	g.write("../../.gitignore", "data/\npublic/\n")
	g.git("add", ".gitignore")
	g.git("commit", "-q", "-m", "a site")
	g.write("README.txt", "The folder is there before the watcher.")
	return g
}

func command(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_EDITOR=true")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// git runs git as somebody whose name proves nothing.
func (g *gitShop) git(args ...string) string {
	g.t.Helper()
	return g.gitIn(g.dir, args...)
}

func (g *gitShop) gitIn(dir string, args ...string) string {
	g.t.Helper()
	return command(g.t, dir, "git", append([]string{"-c", "user.name=Somebody", "-c", "user.email=somebody@a.example", "-c", "gpg.format=ssh"}, args...)...)
}

// signing are git's arguments for a command that signs by somebody's key; "": none.
func (g *gitShop) signing(by string, args ...string) []string {
	if by == "" {
		return append([]string{"-c", "commit.gpgsign=false"}, args...)
	}
	return append([]string{"-c", "commit.gpgsign=true", "-c", "user.signingkey=" + filepath.Join(g.keys, by)}, args...)
}

// commit commits all that is in the work tree, signed by somebody.
func (g *gitShop) commit(by string) (id string) {
	g.t.Helper()
	g.git("add", "-A", "content")
	g.git(g.signing(by, "commit", "-q", "-m", "a notice")...)
	return g.git("rev-parse", "HEAD")
}

// put writes a notice and commits it.
func (g *gitShop) put(by, name, text string) (id string) {
	g.t.Helper()
	g.write(name, text)
	return g.commit(by)
}

func (g *gitShop) fingerprint(of string) string {
	g.t.Helper()
	return strings.Fields(command(g.t, g.keys, "ssh-keygen", "-lf", of+".pub"))[1]
}

// refused makes sure that what was just done is refused for the reason, which is a
// pattern, and by the key of that person; that nothing came of it; and that the owner
// hears of it once, within 5 seconds.
func (g *gitShop) refused(by, slug, reason string) {
	g.t.Helper()
	until := g.front("web").Until
	before := len(g.log())
	g.do()
	for range 9 {
		g.set(g.clock().Add(500 * time.Millisecond))
		g.do()
	}
	equal(g.t, "alert", g.mailbox.letters(), []string{owner + "A notice was not accepted"})
	g.minutely(g.clock().Add(3 * time.Minute).In(lisbon).Format("2006-01-02 15:04"))
	g.w.Close()
	g.start()
	g.minutely(g.clock().Add(3 * time.Minute).In(lisbon).Format("2006-01-02 15:04"))
	entries := slices.DeleteFunc(g.log()[before:], func(e ledger.Entry) bool { return strings.HasPrefix(e.Event, "mail.") })
	if len(entries) != 1 || entries[0].Event != ledger.NoticeRefused || entries[0].Notice != slug {
		g.t.Fatalf("the log has %+v", entries)
	}
	if e := entries[0]; !regexp.MustCompile(reason).MatchString(e.Reason) {
		g.t.Errorf("reason: %s\nwant: %s", e.Reason, reason)
	}
	if e := entries[0]; (by == "") != (e.By == nil) || by != "" && e.By.Key != g.fingerprint(by) {
		g.t.Errorf("by %+v, want the key of %q", e.By, by)
	}
	equal(g.t, "alerts", g.mailbox.letters(), nil)
	equal(g.t, "webhooks", g.web.types(), nil)
	if f := g.front("web"); !f.Until.Equal(until) {
		g.t.Errorf("closed until %v, was %v", f.Until, until)
	}
	if shown := g.w.shown.find("works"); shown != nil && !until.IsZero() && !shown.Reopens.Equal(until) {
		g.t.Errorf("the page says %v, was %v", shown.Reopens, until)
	}
}

// accepted makes sure that what was just done counts.
func (g *gitShop) accepted(until string) {
	g.t.Helper()
	g.settle()
	equal(g.t, "webhooks", g.web.types(), []string{"storefront.closed " + until})
	equal(g.t, "alerts", g.mailbox.letters(), nil)
}

func TestSignedCommit(t *testing.T) {
	g := newGitShop(t, "", adaMay, bobMay)
	id := g.put("Ada", "works.md", works(19, 18, 23, 9))
	g.accepted("2026-11-23T09:00:00Z")
	var e ledger.Entry
	for _, entry := range g.log() {
		if entry.Event == ledger.NoticeAccepted {
			e = entry
		}
	}
	want := ledger.By{Name: "Ada", Email: "ada@a.example", Verified: true, How: "git-signature", Key: g.fingerprint("Ada")}
	if e.By == nil || *e.By != want || e.Commit != id {
		t.Errorf("by %+v in commit %s, want %+v", e.By, e.Commit, want)
	}
	g.put("Bob", "other.md", onWeb(works(19, 18, 24, 9)))
	g.accepted("2026-11-24T09:00:00Z")
}

// onWeb keeps a notice to one storefront.
func onWeb(text string) string {
	return strings.Replace(text, "\n---\n", "\nstorefronts: [web]\n---\n", 1)
}

// forge commits HEAD's tree once more as bytes of the test's own making: edit is given
// the last commit's.
func (g *gitShop) forge(edit func(raw string) string) {
	g.t.Helper()
	raw := edit(command(g.t, g.dir, "git", "cat-file", "commit", "HEAD") + "\n")
	file := filepath.Join(g.t.TempDir(), "commit")
	if err := os.WriteFile(file, []byte(raw), 0o600); err != nil {
		g.t.Fatal(err)
	}
	g.git("update-ref", "HEAD", g.git("hash-object", "-w", "-t", "commit", "--literally", file))
}

// signature cuts a commit's signature out.
var signature = regexp.MustCompile(`(?m)^gpgsig (.*\n )*.*\n`)

// host has the last commit committed by a hosting service.
func host(committer, signed string) func(string) string {
	return func(raw string) string {
		raw = signature.ReplaceAllString(raw, signed)
		return regexp.MustCompile(`(?m)^committer .*>`).ReplaceAllString(raw, "committer "+committer)
	}
}

const pgp = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n wsFcBAABCAAQBQJ\n -----END PGP SIGNATURE-----\n"

// TestCommitsRefused: each of these leaves state, page and mail as they were, is logged
// with reason and key, and told once.
func TestCommitsRefused(t *testing.T) {
	early, path := works(19, 18, 21, 9), "^content/closures/works.md:.*"
	for name, c := range map[string]struct {
		do         func(g *gitShop)
		by, reason string
	}{
		"unsigned": {func(g *gitShop) { g.put("", "works.md", early) }, "",
			"is not signed: it is from commit [0-9a-f]{10}, which bears no signature; sign it .git commit --amend --no-edit -S"},
		"unknown key":   {func(g *gitShop) { g.put("Eve", "works.md", early) }, "Eve", "commit [0-9a-f]{10} is by a key that is no publisher's .SHA256:"},
		"not permitted": {func(g *gitShop) { g.put("Bob", "works.md", early) }, "Bob", "is signed by Bob, who may not open web earlier; have it signed by somebody who may: Ada"},
		"another's name": {func(g *gitShop) {
			g.put("Eve", "works.md", early)
			g.git(g.signing("Eve", "commit", "-q", "--amend", "--author=Ada <ada@a.example>", "-m", "I am Ada")...)
		}, "Eve", "is by a key that is no publisher's"},
		"tampered": {func(g *gitShop) {
			g.put("Ada", "works.md", early)
			g.forge(func(raw string) string { return strings.Replace(raw, "a notice", "a notice!", 1) })
		}, "Ada", "commit [0-9a-f]{10} doesn't fit: the commit was changed after Ada signed"},
		"another tree": {func(g *gitShop) {
			g.put("Ada", "README.txt", "Nothing yet.")
			g.write("works.md", early)
			g.git("add", "-A", "content")
			tree := g.git("write-tree")
			g.forge(func(raw string) string { return regexp.MustCompile("^tree .*").ReplaceAllString(raw, "tree "+tree) })
		}, "Ada", "the commit was changed after Ada signed"},
		"wrong namespace": {func(g *gitShop) {
			g.put("Ada", "works.md", early)
			g.forge(func(raw string) string {
				payload := signature.ReplaceAllString(raw, "")
				command(g.t, g.keys, "sh", "-c", "rm -f payload* && cat >payload <<'END'\n"+payload+"END\nssh-keygen -q -Y sign -n backsoon -f Ada payload")
				armored, err := os.ReadFile(filepath.Join(g.keys, "payload.sig"))
				if err != nil {
					g.t.Fatal(err)
				}
				return strings.Replace(payload, "\n\n", "\ngpgsig "+strings.ReplaceAll(strings.TrimSpace(string(armored)), "\n", "\n ")+"\n\n", 1)
			})
		}, "Ada", `was made for "backsoon", not for git`},
		"OpenPGP": {func(g *gitShop) {
			g.put("Ada", "works.md", early)
			g.forge(func(raw string) string { return signature.ReplaceAllString(raw, pgp) })
		}, "", "is signed with OpenPGP; here SSH keys count: git config gpg.format ssh"},
		"X.509": {func(g *gitShop) {
			g.put("Ada", "works.md", early)
			g.forge(func(raw string) string {
				return signature.ReplaceAllString(raw, strings.ReplaceAll(pgp, "PGP SIGNATURE", "SIGNED MESSAGE"))
			})
		}, "", "is signed with X.509; here SSH keys count"},
		"no signature": {func(g *gitShop) {
			g.put("Ada", "works.md", early)
			g.forge(func(raw string) string { return signature.ReplaceAllString(raw, "gpgsig x\n") })
		}, "", "is not signed: commit [0-9a-f]{10} holds no SSH signature"},
		"GitHub": {func(g *gitShop) {
			g.put("Ada", "works.md", early)
			g.forge(host("GitHub <noreply@github.com>", pgp))
		}, "", "which GitHub made itself, by its web editor or merge button.*Make the change, or the merge, in your own checkout .git commit -S, git merge -S, with git config gpg.format ssh., and push it"},
		"GitHub, unsigned": {func(g *gitShop) {
			g.put("", "works.md", early)
			g.forge(host("GitHub <noreply@github.com>", ""))
		}, "", "which GitHub made itself"},
		"Forgejo": {func(g *gitShop) {
			g.write("works.md", early)
			g.git("add", "-A", "content")
			g.git(append([]string{"-c", "committer.name=Forgejo", "-c", "committer.email=noreply@forge.example"}, g.signing("Eve", "commit", "-q", "-m", "Update")...)...)
		}, "Eve", "which Forgejo made itself"},
		"older branch": {func(g *gitShop) {
			g.git("switch", "-q", "-c", "old", "HEAD~1")
			g.put("Ada", "works.md", early)
			g.git("switch", "-q", "main")
			g.git(g.signing("", "merge", "-q", "-X", "theirs", "-m", "Merge", "old")...)
		}, "Ada", "is from commit [0-9a-f]{10}, signed by Ada .SHA256:\\S+., which does not descend from [0-9a-f]{10}"},
		"older branch, its bytes": {func(g *gitShop) { // a merge that anybody can make, on top of all that counted
			g.git("switch", "-q", "-c", "old", "HEAD~1")
			g.put("Ada", "works.md", early)
			g.git("switch", "-q", "main")
			g.git("merge", "-q", "-s", "ours", "-m", "Merge", "old")
			g.git("checkout", "-q", "old", "--", "content")
			g.git("commit", "-q", "--amend", "--no-edit")
		}, "Ada", "which does not descend from"},
		"reset": {func(g *gitShop) { g.git("reset", "-q", "--hard", "HEAD~1") }, "Ada", "but the history was rewritten: it no longer holds commit [0-9a-f]{10}, by which works was published.*git merge -S"},
		"rewritten": {func(g *gitShop) {
			g.git("reset", "-q", "--hard", "HEAD~1")
			g.put("Ada", "works.md", early)
		}, "Ada", "but the history was rewritten"},
		"a replay in another's commit": {func(g *gitShop) {
			g.write("works.md", works(19, 18, 22, 9)) // which counted, with this signature beside it or another
			g.sign("Ada", "works.md", ".sig")
			g.commit("Eve")
		}, "Eve", "is by a key that is no publisher's"},
		"a symlink": {func(g *gitShop) {
			g.write("hidden.txt", early)
			g.remove("works.md")
			command(g.t, filepath.Join(g.dir, notice.Folder), "ln", "-s", "hidden.txt", "works.md")
			g.commit("Ada")
		}, "", "is a symbolic link; a notice is a file of its own"},
		"too large":       {func(g *gitShop) { g.put("Ada", "works.md", early+strings.Repeat("x", notice.MaxSize)) }, "", "is larger than it may be .256 KiB."},
		"unsigned revert": {func(g *gitShop) { g.git(g.signing("", "revert", "--no-edit", "HEAD")...) }, "", "is an older version, which was accepted before, in a commit that isn't signed"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGitShop(t, "", adaMay, bobMay)
			g.put("Ada", "works.md", works(19, 18, 22, 9))
			g.settle()
			g.put("Ada", "works.md", works(19, 18, 23, 9))
			g.settle()
			g.web.types()
			g.mailbox.letters()
			c.do(g)
			g.refused(c.by, "works", path+c.reason)
		})
	}
}

// acceptedBy gives who published each accepted version, how, and in which commit.
func (g *gitShop) acceptedBy() (lines []string) {
	g.t.Helper()
	for _, e := range g.log() {
		if e.Event == ledger.NoticeAccepted {
			line := e.By.Name + " " + e.By.How
			for _, also := range e.Also {
				line += ", " + also.Name + " " + also.How
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// sign signs a notice as it is, as ssh-keygen does.
func (g *gitShop) sign(by, name, ending string) {
	g.t.Helper()
	file := filepath.Join(g.dir, notice.Folder, name)
	os.Remove(file + ".sig")
	command(g.t, g.keys, "ssh-keygen", "-q", "-Y", "sign", "-n", "backsoon", "-f", by, file)
	if err := os.Rename(file+".sig", file+ending); err != nil {
		g.t.Fatal(err)
	}
}

// TestRevert: a signed commit may put older words back, again and again; what is
// signed beside the file counts once.
func TestRevert(t *testing.T) {
	g := newGitShop(t, "", adaMay)
	g.put("Ada", "works.md", works(19, 18, 21, 9))
	g.accepted("2026-11-21T09:00:00Z")
	g.put("Ada", "works.md", works(19, 18, 23, 9))
	g.accepted("2026-11-23T09:00:00Z")
	g.git(g.signing("Ada", "revert", "--no-edit", "HEAD")...)
	g.accepted("2026-11-21T09:00:00Z")
	g.git(g.signing("Ada", "revert", "--no-edit", "HEAD")...)
	g.accepted("2026-11-23T09:00:00Z")
	g.write("works.md", works(19, 18, 21, 9))
	g.sign("Ada", "works.md", ".sig")
	g.commit("")
	g.refused("Ada", "works", "is an older version, which was accepted before, in a commit that isn't signed")
}

// TestDetachedInHead: a signature beside the file counts as ever, be the commit signed
// or not, and in whatever order the two were committed.
func TestDetachedInHead(t *testing.T) {
	g := newGitShop(t, "", adaMay, bobMay)
	g.write("works.md", works(19, 18, 21, 9))
	g.sign("Ada", "works.md", ".sig")
	g.commit("")
	g.accepted("2026-11-21T09:00:00Z")
	g.put("Ada", "works.md", works(19, 18, 23, 9)) // the signature beside it is of other words
	g.accepted("2026-11-23T09:00:00Z")
	g.put("Bob", "works.md", works(19, 18, 22, 9))
	g.refused("Bob", "works", "is signed by Bob, who may not open market earlier|is signed by Bob, who may not open web earlier")
	g.sign("Ada", "works.md", ".sig")
	g.do()
	g.set(g.clock().Add(time.Second))
	g.commit("")
	g.accepted("2026-11-22T09:00:00Z")
	g.git("reset", "-q", "--hard", "HEAD~1") // a history that nobody stands on but by signatures beside the files
	g.git("commit", "-q", "--allow-empty", "-m", "another history")
	g.write("works.md", works(19, 18, 24, 9))
	g.sign("Ada", "works.md", ".sig")
	g.commit("")
	g.accepted("2026-11-24T09:00:00Z")
	equal(t, "published by", g.acceptedBy(), []string{"Ada ssh-signature", "Ada git-signature", "Ada ssh-signature, Bob git-signature", "Ada ssh-signature"})
}

// TestCommitAndSecondPerson: one commit is one person.
func TestCommitAndSecondPerson(t *testing.T) {
	g := newGitShop(t, "needs: {reopen: 2}\n", adaMay, person{"Bob", "reopen", ""})
	g.put("Ada", "works.md", works(19, 18, 23, 9))
	g.accepted("2026-11-23T09:00:00Z")
	g.put("Ada", "works.md", works(19, 18, 21, 9))
	g.refused("Ada", "works", "is signed by Ada alone, and to open web earlier takes 2 people; have one of them sign, too: Bob "+
		".one commit is one person: the other one signs with `backsoon publish works`, and commits the signature.")
	g.sign("Ada", "works.md", ".sig") // two signatures of one person
	g.commit("")
	g.settle()
	equal(t, "webhooks", g.web.types(), nil)
	g.mailbox.letters()
	g.sign("Bob", "works.md", ".sig.2")
	g.commit("")
	g.accepted("2026-11-21T09:00:00Z")
	equal(t, "published by", g.acceptedBy()[1:], []string{"Bob ssh-signature, Ada git-signature"})
}

// TestMergeThatSettles: a merge that makes bytes that neither side had is itself what
// has to be signed; one that doesn't may be anybody's.
func TestMergeThatSettles(t *testing.T) {
	g := newGitShop(t, "", adaMay, bobMay)
	g.put("Ada", "works.md", works(19, 18, 23, 9))
	g.accepted("2026-11-23T09:00:00Z")
	g.git("switch", "-q", "-c", "side")
	g.put("Ada", "works.md", works(19, 18, 24, 9))
	g.git("switch", "-q", "main")
	g.git("commit", "-q", "--allow-empty", "-m", "anything")
	g.git(g.signing("", "merge", "-q", "--no-ff", "-m", "Merge", "side")...)
	g.accepted("2026-11-24T09:00:00Z")

	g.git("switch", "-q", "-c", "words")
	g.put("Ada", "works.md", works(19, 18, 24, 9)+"More words.\n")
	g.git("switch", "-q", "main")
	g.put("Ada", "works.md", strings.Replace(works(19, 18, 25, 9), "2026-11-25 09", "2026-11-25 10", 1))
	g.accepted("2026-11-25T10:00:00Z")
	g.git(g.signing("", "merge", "-q", "-m", "Merge", "words")...)
	g.refused("", "works", "is from commit "+g.git("rev-parse", "HEAD")[:10]+", which bears no signature")
	g.git(g.signing("Ada", "commit", "-q", "--amend", "--no-edit")...)
	g.settle()
	equal(t, "alerts", g.mailbox.letters(), nil)
	if n := len(g.acceptedBy()); n != 4 {
		t.Errorf("%d versions", n)
	}
}

// TestUncommitted: what is only in the work tree counts for nothing, and is told once.
func TestUncommitted(t *testing.T) {
	g := newGitShop(t, "", adaMay)
	g.put("Ada", "works.md", works(19, 18, 23, 9))
	g.accepted("2026-11-23T09:00:00Z")
	const why = "is not committed: only what the last commit holds counts here; commit it, signed: git commit -S"
	g.write("works.md", works(19, 18, 21, 9))
	g.refused("", "works", why)
	g.sign("Ada", "works.md", ".sig") // signed, and still not committed
	g.minutely(g.clock().Add(time.Minute).In(lisbon).Format("2006-01-02 15:04"))
	equal(t, "alerts", g.mailbox.letters(), nil)
	g.write("more.md", works(20, 18, 23, 9)+"More.\n")
	g.refused("", "more", why)
	g.write("draft.md", strings.Replace(works(20, 18, 23, 9), "closes:", "draft: yes\ncloses:", 1))
	g.write("draft.pt.md", winterInPortuguese)
	g.git("checkout", "-q", "--", "content") // the edit is undone
	g.remove("more.md")
	g.write("works.md", strings.ReplaceAll(works(19, 18, 23, 9), "\n", "\r\n")) // as git writes it on other systems
	g.minutely(g.clock().Add(3 * time.Minute).In(lisbon).Format("2006-01-02 15:04"))
	g.remove("works.md") // only from the work tree
	g.minutely(g.clock().Add(3 * time.Minute).In(lisbon).Format("2006-01-02 15:04"))
	equal(t, "alerts", g.mailbox.letters(), nil)
	equal(t, "webhooks", g.web.types(), nil)
	g.git("rm", "-q", "--cached", notice.Path("works"))
	g.git("commit", "-q", "-m", "gone")
	g.minutely(g.clock().Add(3 * time.Minute).In(lisbon).Format("2006-01-02 15:04"))
	equal(t, "alerts", g.mailbox.letters(), []string{owner + "A notice was not accepted"})
	equal(t, "log", g.events("publishers.", "notice.accepted", "storefront.", "webhook.", "mail."), []string{"notice.refused works", "notice.refused more", "notice.missing works"})
}

// TestGitAtWork: while git is at work nothing is told, and nothing counts; a lock that
// was left behind keeps nobody waiting for good.
func TestGitAtWork(t *testing.T) {
	g := newGitShop(t, "", adaMay)
	g.put("Ada", "works.md", works(19, 18, 23, 9))
	g.accepted("2026-11-23T09:00:00Z")
	lock := filepath.Join(g.dir, ".git", "index.lock")
	g.write("works.md", works(19, 18, 24, 9)) // as `git pull` does, before it moves the branch
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		g.settle()
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	g.do()
	g.set(g.clock().Add(1900 * time.Millisecond))
	g.commit("Ada")
	g.accepted("2026-11-24T09:00:00Z")
	g.put("Ada", "works.md", works(19, 18, 25, 9))
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		g.settle()
	}
	equal(t, "webhooks", g.web.types(), nil)
	for range 10 {
		g.settle()
	}
	equal(t, "webhooks", g.web.types(), []string{"storefront.closed 2026-11-25T09:00:00Z"})
	equal(t, "log", g.events("publishers.", "notice.accepted", "storefront.", "webhook.", "mail."), nil)
}

// TestSignedHistoryAmended: a commit that counted is put in the place of another with
// the same bytes: nothing changes, and the owner hears why nothing will.
func TestSignedHistoryAmended(t *testing.T) {
	g := newGitShop(t, "", adaMay)
	lost := g.put("Ada", "works.md", works(19, 18, 23, 9))
	g.accepted("2026-11-23T09:00:00Z")
	g.git(g.signing("Ada", "commit", "-q", "--amend", "-m", "better words")...)
	g.minutely(g.clock().Add(3 * time.Minute).In(lisbon).Format("2006-01-02 15:04"))
	equal(t, "alerts", g.mailbox.letters(), []string{owner + "A notice was not accepted"})
	_, reasons := g.refusals()
	if len(reasons) != 1 || !strings.HasPrefix(reasons[0], "content/closures: the history was rewritten: it no longer holds commit "+lost[:10]+", by which works was published") {
		t.Errorf("%q", reasons)
	}
	g.git(g.signing("Ada", "merge", "-q", "-s", "ours", "-m", "Merge", lost)...)
	g.put("Ada", "works.md", works(19, 18, 24, 9))
	g.accepted("2026-11-24T09:00:00Z")
}

// TestSHA256Repository: repositories of the newer kind do as well.
func TestSHA256Repository(t *testing.T) {
	g := newGitShop(t, "", adaMay)
	if err := os.RemoveAll(filepath.Join(g.dir, ".git")); err != nil {
		t.Fatal(err)
	}
	g.git("init", "-q", "-b", "main", "--object-format=sha256", ".")
	g.put("Ada", "works.md", works(19, 18, 23, 9))
	g.accepted("2026-11-23T09:00:00Z")
	g.put("Eve", "works.md", works(19, 18, 21, 9))
	g.refused("Eve", "works", "is by a key that is no publisher's")
}

// TestDamagedRepository: what can't be read changes nothing, and is told.
func TestDamagedRepository(t *testing.T) {
	g := newGitShop(t, "", adaMay)
	g.put("Ada", "works.md", works(19, 18, 23, 9))
	g.accepted("2026-11-23T09:00:00Z")
	g.put("Ada", "works.md", works(19, 18, 24, 9))
	tree := g.git("rev-parse", "HEAD:content")
	object := filepath.Join(g.dir, ".git/objects", tree[:2], tree[2:])
	if err := os.Rename(object, object+".away"); err != nil {
		t.Fatal(err)
	}
	g.minutely("2026-11-20 10:05")
	equal(t, "alerts", g.mailbox.letters(), []string{owner + "A notice was not accepted"})
	equal(t, "webhooks", g.web.types(), nil)
	_, reasons := g.refusals()
	if len(reasons) != 1 || !strings.HasPrefix(reasons[0], "content/closures: what is committed can't be read (") {
		t.Errorf("%q", reasons)
	}
	if err := os.Rename(object+".away", object); err != nil {
		t.Fatal(err)
	}
	g.accepted("2026-11-24T09:00:00Z")
}

// TestPostgreSQLCommits: what a commit has to descend from is kept there as well.
func TestPostgreSQLCommits(t *testing.T) {
	g := newGitShop(t, "", adaMay)
	g.put("Ada", "works.md", works(19, 18, 22, 9))
	g.accepted("2026-11-22T09:00:00Z")
	g.put("Ada", "works.md", works(19, 18, 23, 9))
	g.accepted("2026-11-23T09:00:00Z")
	g.w.Close()
	g.start()
	g.git("reset", "-q", "--hard", "HEAD~1")
	g.put("Ada", "works.md", works(19, 18, 21, 9))
	g.settle()
	equal(t, "webhooks", g.web.types(), nil)
	if _, reasons := g.refusals(); len(reasons) != 1 || !strings.Contains(reasons[0], "but the history was rewritten") {
		t.Errorf("%q", reasons)
	}
}
