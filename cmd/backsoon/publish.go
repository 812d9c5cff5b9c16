package main

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/backsoon/backsoon/internal/notice"
	"github.com/backsoon/backsoon/internal/strictyaml"
)

func publishCommand(s *site) *cobra.Command {
	return &cobra.Command{
		Use:   "publish [SLUG…]",
		Short: "Sign notices with your SSH key, so that they count",
		Long: "Sign what was changed, all of it or these notices with their translations, by the ssh-agent: it asks the\n" +
			"agent for a key that backsoon.yaml names under publishers, and writes the signature beside the notice.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.load(); err != nil {
				return err
			}
			if _, err := s.publish(cmd, args, time.Now()); err != nil {
				return err
			}
			s.hintWatcher(cmd.OutOrStdout())
			return nil
		},
	}
}

// publish signs what is to be signed. It counts unless somebody else has to sign, too.
func (s *site) publish(cmd *cobra.Command, slugs []string, now time.Time) (counts bool, err error) {
	if len(s.cfg.Publishers) == 0 {
		return false, errors.New("backsoon.yaml names no publishers, so that every notice counts as it is; name them, and their keys, to have signatures asked for")
	}
	todo, err := s.toSign(cmd.Context(), slugs, now)
	if err != nil {
		return false, err
	}
	out := cmd.OutOrStdout()
	if len(todo) == 0 {
		fmt.Fprintln(out, "There is nothing to sign.")
		return true, nil
	}
	keys, hangUp, err := agentKeys(cmd.Context())
	if err != nil {
		return false, err
	}
	defer hangUp()
	counts = true
	for _, u := range todo {
		sig, err := s.sign(u, keys, now)
		if err != nil {
			return false, fmt.Errorf("%s: %w", u.Path, err)
		}
		fmt.Fprintf(out, "%s: signed by %s (%s)\n", notice.SignatureNames(s.path(u.name))[sig.Slot], sig.By.Name, sig.By.Key)
		if sig.More != nil {
			counts = false
			fmt.Fprintf(out, "It doesn't count yet: it %s\n", sig.More.Text)
		}
	}
	return counts, nil
}

// signNow signs what a command has just written, where signatures are asked for: it
// has to count at once.
func (s *site) signNow(cmd *cobra.Command, slug string, now time.Time) (counts bool, err error) {
	if len(s.cfg.Publishers) == 0 {
		return true, nil
	}
	if counts, err = s.publish(cmd, []string{slug}, now); err != nil {
		err = fmt.Errorf("%s is written, but counts only once it is signed, by `backsoon publish %s`: %w", notice.Path(slug), slug, err)
	}
	return counts, err
}

// toSign lists what is not signed, of the notices that were named; none named: of
// all. One mistake and nothing is signed.
func (s *site) toSign(ctx context.Context, slugs []string, now time.Time) (todo []unpublished, err error) {
	for i, name := range slugs {
		slugs[i] = strings.TrimSuffix(filepath.Base(name), ".md")
		if _, err := os.Lstat(s.file(slugs[i])); err != nil {
			return nil, s.unknown(slugs[i], nil)
		}
	}
	all, err := s.unpublished(ctx, now)
	if err != nil {
		return nil, err
	}
	var problems strictyaml.Problems
	for _, u := range all {
		slug, _ := notice.Split(u.name)
		if len(slugs) > 0 && !slices.Contains(slugs, slug) && !slices.Contains(slugs, u.name) {
			continue
		}
		if problems = append(problems, u.problems.Errors()...); u.refused != nil {
			todo = append(todo, u)
		}
	}
	if len(problems) > 0 {
		return nil, &problemsError{problems, "nothing was signed"}
	}
	return todo, nil
}

// sign writes a file's signature in one step.
func (s *site) sign(u unpublished, keys []ssh.Signer, now time.Time) (sig authority.Signature, err error) {
	sig, err = authority.Sign(s.cfg, u.Publication, keys, now)
	if errors.Is(err, authority.ErrNoKey) {
		return sig, s.noKey(u.refused)
	}
	if err != nil {
		return sig, err
	}
	return sig, putFile(notice.SignatureNames(s.file(u.name))[sig.Slot], sig.Armored)
}

// noKey says whose keys would do.
func (s *site) noKey(refused error) error {
	var r *authority.Refusal
	if errors.As(refused, &r) && r.Kind == authority.TooFew {
		return refused
	}
	var known []string
	for _, p := range s.cfg.Publishers {
		for _, key := range p.Keys {
			known = append(known, fmt.Sprintf("%s (%s)", ssh.FingerprintSHA256(key), p.Name))
		}
	}
	return errors.New("the ssh-agent holds no key of a publisher's that still counts; add yours with ssh-add, one of " + strings.Join(known, ", "))
}

// agentKeys gives what the ssh-agent can sign with
// (draft-ietf-sshm-ssh-agent, as OpenSSH has it), and how to let go of it.
func agentKeys(ctx context.Context) (keys []ssh.Signer, hangUp func() error, err error) {
	const remedy = "start one with `eval $(ssh-agent)` and add your key with `ssh-add`, or sign with `ssh-keygen -Y sign`"
	socket := os.Getenv("SSH_AUTH_SOCK")
	if socket == "" {
		return nil, nil, errors.New("no ssh-agent runs here; " + remedy)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, nil, fmt.Errorf("the ssh-agent doesn't answer (%w); %s", err, remedy)
	}
	keys, err = agent.NewClient(conn).Signers()
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("the ssh-agent doesn't tell its keys: %w", err)
	}
	return keys, conn.Close, nil
}

// putFile writes a file, whole or not at all, be there one or not.
func putFile(path string, src []byte) error {
	err := replaceFile(path, src)
	if errors.Is(err, fs.ErrNotExist) {
		return createFile(path, src)
	}
	return err
}
