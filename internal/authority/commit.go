package authority

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/ledger"
)

// gitNamespace is what git has a commit's signature made for (git-config(1),
// gpg.format; gpg-interface.c).
const gitNamespace = "git"

const viaCommit = "git-signature"

// anew is how to make a signature of a commit.
const anew = "make the change again, in a signed commit (git commit -S)"

// committed tells whose commit the publication is from, as of now, or why that
// doesn't count. It is whoever signed it: the author's and committer's names are
// what anybody may write.
func committed(publishers []config.Publisher, p Publication, now time.Time) (config.Publisher, ledger.By, *Refusal) {
	o := p.Origin
	if o.Commit == nil {
		return config.Publisher{}, ledger.By{}, &Refusal{Kind: Astray, Text: "doesn't count by its commit: " + o.Err.Error()}
	}
	if r := otherFormat(p); r != nil {
		return config.Publisher{}, ledger.By{}, r
	}
	publisher, by, r := verify(publishers, claim{
		name: "commit " + o.Short(), armored: o.Signature, src: o.Payload, what: "the commit",
		anew: anew, namespace: gitNamespace, right: anew, how: viaCommit,
	}, now)
	switch {
	case r != nil && r.Kind == UnknownKey && hostOf(o.Committer) != "":
		r.Kind, r.Text = Hosted, byHost(p)+" ("+by.Key+")"
	case r == nil && o.Err != nil:
		r = &Refusal{Astray, by, fmt.Sprintf("is from commit %s, signed by %s (%s), %v", o.Short(), publisher.Name, by.Key, o.Err)}
	}
	return publisher, by, r
}

// otherFormats are the first lines of signatures that are not by an SSH key
// (gitformat-signature(5)).
var otherFormats = map[string]string{
	"-----BEGIN PGP SIGNATURE-----": "OpenPGP", "-----BEGIN PGP MESSAGE-----": "OpenPGP", "-----BEGIN SIGNED MESSAGE-----": "X.509",
}

func otherFormat(p Publication) *Refusal {
	first, _, _ := bytes.Cut(p.Origin.Signature, []byte("\n"))
	format, is := otherFormats[string(first)]
	switch {
	case !is:
		return nil
	case hostOf(p.Origin.Committer) != "":
		return &Refusal{Kind: Hosted, Text: byHost(p)}
	}
	return &Refusal{Kind: OtherFormat, Text: fmt.Sprintf("is from commit %s, which is signed with %s; here SSH keys count: "+
		"git config gpg.format ssh, git config user.signingkey ~/.ssh/id_ed25519.pub, and sign the commit anew (git commit --amend --no-edit -S)",
		p.Origin.Short(), format)}
}

// unsignedCommit is the refusal of what neither its commit nor a file beside it
// signs.
func unsignedCommit(p Publication) *Refusal {
	if hostOf(p.Origin.Committer) != "" {
		return &Refusal{Kind: Hosted, Text: byHost(p)}
	}
	return &Refusal{Kind: Unsigned, Text: fmt.Sprintf("is not signed: it is from commit %s, which bears no signature; sign it "+
		"(git commit --amend --no-edit -S, where it is the last one), or run `backsoon publish %s` and commit the signature", p.Origin.Short(), slugOf(p.Path))}
}

// byHost says what a hosting service's own commit is, and what to do.
func byHost(p Publication) string {
	return fmt.Sprintf("is from commit %s, which %s made itself, by its web editor or merge button: that is nobody's signature. "+
		"Make the change, or the merge, in your own checkout (git commit -S, git merge -S, with git config gpg.format ssh), and push it",
		p.Origin.Short(), hostOf(p.Origin.Committer))
}

// hosts are the services whose own commits bear an address of theirs, with the name
// that they go by.
var hosts = map[string]string{
	"noreply@github.com": "GitHub", "noreply@gitlab.com": "GitLab", "noreply@codeberg.org": "Codeberg", "noreply@gitea.com": "Gitea", "noreply@gitea.io": "Gitea",
	"noreply@forgejo.org": "Forgejo", "noreply@bitbucket.org": "Bitbucket", "commits-noreply@bitbucket.org": "Bitbucket",
}

// hostOf names the hosting service whose commit it is, by the committer that it
// names: a service of one's own goes by the software's name, or by an address that
// takes no mail. "": somebody's.
func hostOf(committer string) string {
	name, address, _ := strings.Cut(strings.TrimSuffix(committer, ">"), " <")
	if host, known := hosts[strings.ToLower(address)]; known {
		return host
	}
	for _, host := range hosts {
		if strings.EqualFold(name, host) {
			return host
		}
	}
	if user, domain, _ := strings.Cut(strings.ToLower(address), "@"); user == "noreply" || user == "no-reply" {
		return clip(domain)
	}
	return ""
}
