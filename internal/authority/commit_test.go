package authority

import (
	"bytes"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/backsoon/backsoon/internal/checkout"
	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
)

// commitOf makes a commit's bytes, signed by whoever, with the committer's address.
func commitOf(t testing.TB, committer string, signer ssh.Signer, namespace string) []byte {
	t.Helper()
	payload := "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nparent 9c435a86e664be00db0d973e981425e4a3ef3f8d\n" +
		"author Ada <ada@a.example> 1700000000 +0000\ncommitter " + committer + " 1700000000 +0000\n\nClosed for the winter break\n"
	sig, err := sshsig.Sign(strings.NewReader(payload), signer, sshsig.HashSHA512, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return signedBy(payload, string(sshsig.Armor(sig)))
}

// signedBy puts a signature where git puts it.
func signedBy(payload, armored string) []byte {
	header := "gpgsig " + strings.ReplaceAll(strings.TrimSuffix(armored, "\n"), "\n", "\n ")
	return []byte(strings.Replace(payload, "\n\n", "\n"+header+"\n\n", 1))
}

// fromCommit is a publication of winter, as a commit of these bytes has it; not ok:
// they are no commit.
func fromCommit(t testing.TB, raw []byte) (p Publication, ok bool) {
	t.Helper()
	c, err := checkout.ParseCommit(strings.Repeat("1", 40), raw)
	if err != nil {
		return p, false
	}
	p = publication(t, winter)
	p.Origin = &checkout.Origin{Commit: c}
	return p, true
}

// softKey is a key in memory.
func softKey(t testing.TB) ssh.Signer {
	t.Helper()
	return newPerson(t, "Ada", "web").signer
}

// TestGitsOwnCommits: what git itself signs counts, with each kind of key.
func TestGitsOwnCommits(t *testing.T) {
	k := newKeyring(t)
	for _, format := range []string{"sha1", "sha256"} {
		c := newCheckout(t)
		if err := os.RemoveAll(c.dir); err != nil {
			t.Fatal(err)
		}
		c.git(ada, "init", "--quiet", "--object-format="+format, c.dir)
		for _, kind := range [][]string{{"ed25519"}, {"ecdsa", "-b", "256"}, {"rsa", "-b", "3072"}} {
			name := format + strings.Join(kind, "")
			key := k.key(name, kind...)
			c.write(flood, name)
			c.git(ada, "add", "--all")
			c.git(bob, "-c", "gpg.format=ssh", "-c", "user.signingkey="+filepath.Join(k.dir, name), "commit", "--quiet", "-S", "--message", "Zoë\n\nA change\n\n\n")
			raw := c.git(ada, "cat-file", "commit", "HEAD") + "\n"
			p, ok := fromCommit(t, []byte(raw))
			if !ok {
				t.Fatalf("%s: no commit: %q", name, raw)
			}
			by, err := Judge(settings(publisher("Ada", "", key)), p, now)
			want := ledger.By{Name: "Ada", Email: "ada@a.example", Verified: true, How: "git-signature", Key: ssh.FingerprintSHA256(key)}
			if err != nil || len(by) != 1 || by[0] != want {
				t.Errorf("%s: %+v, %v", name, by, err)
			}
		}
	}
}

func TestCommitRefusals(t *testing.T) {
	signer, eve := softKey(t), softKey(t)
	expired := publisher("Ada", "", signer.PublicKey())
	expired.Expires = now
	device := newSecurityKey(t)
	const me = "Ada <ada@a.example>"
	good := commitOf(t, me, signer, "git")
	pgp := "-----BEGIN PGP SIGNATURE-----\n\nwsFcBAABCAAQBQJ\n-----END PGP SIGNATURE-----\n"
	plain := "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor a\ncommitter " + me + " 1 +0000\n\nx\n"
	for what, c := range map[string]struct {
		cfg  *config.Config
		raw  []byte
		want Kind
	}{
		"good":             {settings(publisher("Ada", "", signer.PublicKey())), good, ""},
		"nobody's":         {settings(publisher("Ada", "", signer.PublicKey())), commitOf(t, me, eve, "git"), UnknownKey},
		"other namespace":  {settings(publisher("Ada", "", signer.PublicKey())), commitOf(t, me, signer, Namespace), OtherPurpose},
		"expired":          {settings(expired), good, Expired},
		"tampered":         {settings(publisher("Ada", "", signer.PublicKey())), bytes.Replace(good, []byte("winter"), []byte("summer"), 1), Tampered},
		"untouched":        {settings(publisher("Ada", "", device.PublicKey())), commitOf(t, me, device, "git"), Untouched},
		"unsigned":         {settings(publisher("Ada", "", signer.PublicKey())), []byte(plain), Unsigned},
		"OpenPGP":          {settings(publisher("Ada", "", signer.PublicKey())), signedBy(plain, pgp), OtherFormat},
		"no signature":     {settings(publisher("Ada", "", signer.PublicKey())), signedBy(plain, "x\n"), NoSignature},
		"GitHub's":         {settings(publisher("Ada", "", signer.PublicKey())), signedBy(strings.Replace(plain, me, "GitHub <noreply@github.com>", 1), pgp), Hosted},
		"GitHub's, signed": {settings(publisher("Ada", "", signer.PublicKey())), commitOf(t, "GitHub <noreply@github.com>", signer, "git"), ""},
		"Gitea's":          {settings(publisher("Ada", "", signer.PublicKey())), commitOf(t, "Gitea <gitea@fake.local>", eve, "git"), Hosted},
	} {
		t.Run(what, func(t *testing.T) {
			p, ok := fromCommit(t, c.raw)
			if !ok {
				t.Fatal("no commit")
			}
			r := refused(t, c.cfg, p, c.want)
			if r != nil && r.Kind == Hosted && !strings.Contains(r.Text, "in your own checkout (git commit -S, git merge -S, with git config gpg.format ssh)") {
				t.Error(r)
			}
		})
	}
}

func TestHosts(t *testing.T) {
	for committer, want := range map[string]string{
		"GitHub <noreply@github.com>": "GitHub", "GitLab <noreply@gitlab.com>": "GitLab", "Gitea <gitea@fake.local>": "Gitea", "forgejo <x@y.example>": "Forgejo",
		"Codeberg <noreply@codeberg.org>": "Codeberg", "Somebody <commits-noreply@bitbucket.org>": "Bitbucket", "Our forge <no-reply@git.a.example>": "git.a.example",
		"Ada <ada@a.example>": "", "Ada <1+ada@users.noreply.github.com>": "", "Ada <ada@noreply.codeberg.org>": "", "": "", "<>": "", "Ada <github.com>": "",
	} {
		if got := hostOf(committer); got != want {
			t.Errorf("%q: %q, want %q", committer, got, want)
		}
	}
}

// TestAstray: a commit that is signed, and doesn't count for its place in the history.
func TestAstray(t *testing.T) {
	signer := softKey(t)
	p, _ := fromCommit(t, commitOf(t, "Ada <ada@a.example>", signer, "git"))
	p.Origin.Err = os.ErrDeadlineExceeded
	cfg := settings(publisher("Ada", "", signer.PublicKey()))
	if r := refused(t, cfg, p, Astray); r.By.Key != ssh.FingerprintSHA256(signer.PublicKey()) || r.By.Name != "Ada" {
		t.Errorf("%+v", r)
	}
	p.Signatures = [][]byte{armored(t, signer, winter)} // which is as good as ever
	refused(t, cfg, p, "")
	p.Signatures, p.Origin = nil, &checkout.Origin{Err: checkout.ErrCut}
	if r := refused(t, cfg, p, Astray); !strings.Contains(r.Text, "git fetch --unshallow") {
		t.Error(r)
	}
}

// TestMutatedCommits: of 10,000 signed commits with a few bytes changed anywhere none
// counts.
func TestMutatedCommits(t *testing.T) {
	signer, device := softKey(t), newSecurityKey(t)
	device.flags = userPresent
	cfg := settings(publisher("Ada", "", signer.PublicKey()), publisher("Bob", "", device.PublicKey()))
	commits := [][]byte{commitOf(t, "Ada <ada@a.example>", signer, "git"), commitOf(t, "Bob <bob@a.example>", device, "git")}
	for _, raw := range commits {
		p, _ := fromCommit(t, raw)
		refused(t, cfg, p, "")
	}
	r, read := mathrand.New(mathrand.NewPCG(3, 4)), 0
	for tried := 0; tried < 10_000; tried++ {
		good := commits[r.IntN(2)]
		raw := mutate(r, good)
		if bytes.Equal(raw, good) {
			continue
		}
		p, ok := fromCommit(t, raw)
		if !ok {
			continue
		}
		read++
		if by, err := Judge(cfg, p, now); err == nil {
			t.Fatalf("accepted as by %+v:\n%q", by, raw)
		}
	}
	if read < 5_000 {
		t.Errorf("only %d of them were read as commits", read)
	}
}

// FuzzSignedCommit: whatever is changed in a signed commit, it isn't accepted.
func FuzzSignedCommit(f *testing.F) {
	signer := softKey(f)
	cfg := settings(publisher("Ada", "", signer.PublicKey()))
	good := commitOf(f, "Ada <ada@a.example>", signer, "git")
	f.Add(good)
	f.Add(bytes.Replace(good, []byte("\n\nClosed"), []byte("\ngpgsig-sha256 x\n\nClosed"), 1))
	f.Add(bytes.ReplaceAll(good, []byte("\n "), []byte("\r\n ")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, ok := fromCommit(t, raw)
		if !ok || bytes.Equal(raw, good) {
			return
		}
		if by, err := Judge(cfg, p, now.Add(time.Hour)); err == nil {
			t.Fatalf("accepted as by %+v: %q", by, raw)
		}
	})
}
