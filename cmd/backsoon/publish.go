package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/backsoon/backsoon/internal/authority"
	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

func publishCommand(s *site) *cobra.Command {
	return &cobra.Command{
		Use:   "publish [SLUG | COPY.md]…",
		Short: "Sign notices with your SSH key, so that they count",
		Long: "Sign what was changed, all of it or these notices with their translations, by the ssh-agent: it asks the\n" +
			"agent for a key that backsoon.yaml names under publishers, and writes the signature beside the notice.\n" +
			"A copy of a notice that lies elsewhere is signed there, and moved into " + notice.Folder + " once it counts.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.load(); err != nil {
				return err
			}
			if err := s.publish(cmd, args, time.Now()); err != nil {
				return err
			}
			s.hintWatcher(cmd.OutOrStdout())
			return nil
		},
	}
}

// publish signs what is to be signed.
func (s *site) publish(cmd *cobra.Command, args []string, now time.Time) error {
	if len(s.cfg.Publishers) == 0 {
		return errors.New("backsoon.yaml names no publishers, so that every notice counts as it is; name them, and their keys, to have signatures asked for")
	}
	todo, err := s.toSign(cmd.Context(), args, now)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if len(todo) == 0 {
		fmt.Fprintln(out, "There is nothing to sign.")
		return nil
	}
	a := &keyring{hint: cmd.ErrOrStderr()}
	defer a.hangUp()
	for _, u := range todo {
		signed, err := s.signAll(cmd.Context(), &u, a, now)
		if err == nil {
			err = s.bring(out, u, signed)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", u.Path, err)
		}
	}
	if inHead, err := s.inHead(cmd.Context()); !inHead || err != nil {
		return err
	}
	return s.leftToCommit(out, "notices")
}

// toSign lists what is not signed, of the notices and copies that were named; none
// named: of all. One mistake and nothing is signed.
func (s *site) toSign(ctx context.Context, args []string, now time.Time) (todo []unpublished, err error) {
	slugs, copies, err := s.named(args)
	if err != nil {
		return nil, err
	}
	all, r, err := s.unpublished(ctx, now)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(u unpublished) bool {
		slug, _ := notice.Split(u.name)
		return len(args) > 0 && !slices.Contains(slugs, slug) && !slices.Contains(slugs, u.name)
	})
	for _, file := range copies {
		u, err := s.copied(file, r, now)
		if err != nil {
			return nil, fmt.Errorf("%s: %w; nothing was signed", file, err)
		}
		all = append(all, u)
	}
	var problems strictyaml.Problems
	for _, u := range all {
		if problems = append(problems, u.problems.Errors()...); u.refused != nil || u.copy != "" || u.uncommitted {
			todo = append(todo, u)
		}
	}
	if len(problems) > 0 {
		return nil, &problemsError{problems, "nothing was signed"}
	}
	return todo, nil
}

// named tells notices of the folder from copies that lie elsewhere; what waits for
// somebody else's signature is one of these, whatever it is called by.
func (s *site) named(args []string) (slugs, copies []string, err error) {
	for _, arg := range args {
		slug := strings.TrimSuffix(filepath.Base(arg), ".md")
		if isCopy(arg, s.file(slug)) {
			copies = append(copies, arg)
			continue
		}
		_, here := os.Lstat(s.file(slug))
		waits := exists(s.waiting(slug))
		if here != nil && !waits {
			return nil, nil, s.unknown(slug, nil)
		}
		if slugs = append(slugs, slug); waits {
			copies = append(copies, s.waiting(slug))
		}
	}
	if len(args) > 0 {
		return slugs, copies, nil
	}
	copies, err = filepath.Glob(s.waiting("*"))
	return nil, copies, err
}

// signed are the signatures that were made for a file.
type signed struct {
	made []authority.Signature
	more *authority.Refusal // why they don't suffice: somebody else has to sign, too; nil: they do
}

// signAll signs for every person whose key is at hand, as far as it takes.
func (s *site) signAll(ctx context.Context, u *unpublished, a *keyring, now time.Time) (done signed, err error) {
	for range notice.SignatureNames("") {
		if u.refused == nil {
			break
		}
		keys, err := a.keys(ctx)
		if err != nil {
			return done, err
		}
		sig, err := authority.Sign(s.cfg, u.Publication, keys, now)
		if errors.Is(err, authority.ErrNoKey) && len(done.made) > 0 {
			return done, nil
		}
		if errors.Is(err, authority.ErrNoKey) {
			return done, s.noKey(u.refused, now)
		}
		if err != nil {
			return done, err
		}
		u.add(sig)
		if done.made, done.more = append(done.made, sig), sig.More; sig.More == nil {
			u.refused = nil
		}
	}
	return done, nil
}

// noKey says whose keys would do.
func (s *site) noKey(refused error, now time.Time) error {
	var r *authority.Refusal
	if errors.As(refused, &r) && r.Kind == authority.TooFew {
		return refused
	}
	var known []string
	for _, p := range s.cfg.Publishers {
		if p.Ended(now) {
			continue
		}
		for _, key := range p.Keys {
			known = append(known, fmt.Sprintf("%s (%s)", ssh.FingerprintSHA256(key), p.Name))
		}
	}
	if len(known) == 0 {
		return errors.New("the keys of all publishers have ended; renew expires in backsoon.yaml")
	}
	return errors.New("the ssh-agent holds no key of a publisher's that still counts; add yours with ssh-add, one of " + strings.Join(known, ", "))
}

// keyring is the ssh-agent that runs here, asked when it is needed.
type keyring struct {
	hint io.Writer // where it is said what to do with one's hands
	conn net.Conn
	has  []ssh.Signer
}

// keys gives what the agent can sign with (draft-ietf-sshm-ssh-agent, as OpenSSH has
// it).
func (a *keyring) keys(ctx context.Context) ([]ssh.Signer, error) {
	const remedy = "start one with `eval $(ssh-agent)`, add your key with `ssh-add`, and run this again"
	if a.conn != nil {
		return a.has, nil
	}
	socket := os.Getenv("SSH_AUTH_SOCK")
	if socket == "" {
		return nil, errors.New("no ssh-agent runs here; " + remedy)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("the ssh-agent doesn't answer (%w); %s", err, remedy)
	}
	has, err := agent.NewClient(conn).Signers()
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("the ssh-agent doesn't tell its keys: %w", err)
	}
	for i, key := range has {
		if config.IsSecurityKey(key.PublicKey()) {
			has[i] = touched{key, a.hint}
		}
	}
	a.conn, a.has = conn, has
	return has, nil
}

func (a *keyring) hangUp() {
	if a.conn != nil {
		a.conn.Close()
	}
}

// touched is a security key, which waits for a finger.
type touched struct {
	ssh.Signer
	hint io.Writer
}

func (k touched) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	fmt.Fprintf(k.hint, "Touch the security key %s when it blinks.\n", ssh.FingerprintSHA256(k.PublicKey()))
	return k.Signer.Sign(rand, data)
}

// putFile writes a file, whole or not at all, be there one or not.
func putFile(path string, src []byte) error {
	err := replaceFile(path, src)
	if errors.Is(err, fs.ErrNotExist) {
		return createFile(path, src)
	}
	return err
}
