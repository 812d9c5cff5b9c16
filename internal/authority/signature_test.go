package authority

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
)

// keyring makes real keys and signatures, by the ssh-keygen of this machine.
type keyring struct {
	testing.TB
	dir string
}

func newKeyring(t testing.TB) keyring {
	t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Fatal("ssh-keygen is missing; install openssh-client")
	}
	return keyring{t, t.TempDir()}
}

func (k keyring) keygen(args ...string) {
	k.Helper()
	cmd := exec.Command("ssh-keygen", args...)
	cmd.Dir = k.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		k.Fatalf("ssh-keygen %q: %v\n%s", args, err, out)
	}
}

// key makes a key of that name and gives its public half.
func (k keyring) key(name string, kind ...string) ssh.PublicKey {
	k.Helper()
	k.keygen(append([]string{"-q", "-N", "", "-C", name, "-f", name, "-t"}, kind...)...)
	line, err := os.ReadFile(filepath.Join(k.dir, name+".pub"))
	if err != nil {
		k.Fatal(err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		k.Fatal(err)
	}
	return key
}

// sign gives the signature file that ssh-keygen writes beside src.
func (k keyring) sign(name, namespace string, src []byte, more ...string) []byte {
	k.Helper()
	file := filepath.Join(k.dir, "notice.md")
	if err := os.WriteFile(file, src, 0o600); err != nil {
		k.Fatal(err)
	}
	os.Remove(file + ".sig")
	k.keygen(append(append([]string{"-Y", "sign", "-q", "-f", name, "-n", namespace}, more...), "notice.md")...)
	sig, err := os.ReadFile(file + ".sig")
	if err != nil {
		k.Fatal(err)
	}
	return sig
}

var (
	winter = []byte("---\ntitle: Closed for the winter break\ncloses: 2026-12-24 18:00\nreopens: 2027-01-02 09:00\n---\nSee you.\n")
	now    = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
)

func publisher(name string, touch config.Touch, keys ...ssh.PublicKey) config.Publisher {
	return config.Publisher{Name: name, Email: strings.ToLower(name) + "@a.example", Keys: keys, May: config.Rights, Storefronts: []string{"web", "pos"}, Touch: touch}
}

func settings(publishers ...config.Publisher) *config.Config {
	return &config.Config{Publishers: publishers, Storefronts: []config.Storefront{{ID: "web"}, {ID: "pos"}}}
}

// publication is a new notice of src.
func publication(t testing.TB, src []byte, signatures ...[]byte) Publication {
	t.Helper()
	n, problems := notice.Parse("content/closures/winter.md", "winter", winter, time.UTC)
	if n == nil {
		t.Fatal(problems)
	}
	return Publication{Path: "content/closures/winter.md", Source: src, Signatures: signatures, Next: n}
}

// refused makes sure of the kind of refusal, and gives it; "" is accepted.
func refused(t testing.TB, cfg *config.Config, p Publication, want Kind) *Refusal {
	t.Helper()
	by, err := Judge(cfg, p, now)
	var r *Refusal
	switch errors.As(err, &r); {
	case want == "" && err == nil:
		return nil
	case err == nil:
		t.Fatalf("accepted as by %+v, want %s", by, want)
	case r.Kind != want:
		t.Fatalf("refused as %s (%v), want %q", r.Kind, err, want)
	}
	return r
}

// TestSignatures: what ssh-keygen signs counts, with each kind of key that it makes.
func TestSignatures(t *testing.T) {
	k := newKeyring(t)
	for _, kind := range [][]string{{"ed25519"}, {"ecdsa", "-b", "256"}, {"ecdsa", "-b", "521"}, {"rsa", "-b", "3072"}} {
		name := strings.Join(kind, "")
		key := k.key(name, kind...)
		by, err := Judge(settings(publisher("Ada", "", key)), publication(t, winter, k.sign(name, Namespace, winter)), now)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(by) != 1 || by[0].Name != "Ada" || by[0].Email != "ada@a.example" || !by[0].Verified || by[0].How != "ssh-signature" || by[0].Key != ssh.FingerprintSHA256(key) {
			t.Errorf("%s: %+v", name, by)
		}
	}
	sha256 := k.sign("ed25519", Namespace, winter, "-O", "hashalg=sha256")
	key := k.key("other", "ed25519")
	refused(t, settings(publisher("Ada", "", key)), publication(t, winter, sha256), UnknownKey)
}

func TestRefusals(t *testing.T) {
	k := newKeyring(t)
	ada, bob := publisher("Ada", "", k.key("ada", "ed25519")), publisher("Bob", "", k.key("bob", "ed25519"))
	k.key("eve", "ed25519")
	good := k.sign("ada", Namespace, winter)
	lapsed, lapses := ada, ada
	lapsed.Expires, lapses.Expires = now, now.Add(1)
	crlf := bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n"))
	edited := bytes.Replace(winter, []byte("2027-01-02"), []byte("2027-01-01"), 1)
	for _, test := range []struct {
		name       string
		by         config.Publisher
		src        []byte
		signatures [][]byte
		want       Kind
		text       string
	}{
		{"good", ada, winter, [][]byte{good, nil}, "", ""},
		{"with Windows' lines", ada, winter, [][]byte{crlf}, "", ""},
		{"in the second file", ada, winter, [][]byte{nil, good}, "", ""},
		{"beside rubbish", ada, winter, [][]byte{[]byte("rubbish"), good}, "", ""},
		{"unsigned", ada, winter, nil, Unsigned, "is not signed; sign it with `backsoon publish winter`"},
		{"no such files", ada, winter, [][]byte{nil, nil}, Unsigned, "is not signed; sign it with"},
		{"an empty one", ada, winter, [][]byte{{}}, NoSignature, "is not signed: winter.md.sig holds no SSH signature"},
		{"the notice itself", ada, winter, [][]byte{winter}, NoSignature, "it doesn't begin with -----BEGIN SSH SIGNATURE-----"},
		{"a long one", ada, winter, [][]byte{bytes.Repeat([]byte("A"), 1<<20)}, NoSignature, "it is too long for one"},
		{"two in one", ada, winter, [][]byte{append(bytes.Clone(good), good...)}, NoSignature, ""},
		{"edited", ada, edited, [][]byte{good}, Tampered, "winter.md.sig doesn't fit: the notice or its signature was changed after Ada signed (SHA256:"},
		{"one more byte", ada, append(bytes.Clone(winter), '\n'), [][]byte{good}, Tampered, ""},
		{"for git", ada, winter, [][]byte{k.sign("ada", "git", winter)}, OtherPurpose, `was made for "git", not for backsoon; sign with ssh-keygen -Y sign -n backsoon`},
		{"for nearly this", ada, winter, [][]byte{k.sign("ada", "Backsoon", winter)}, OtherPurpose, ""},
		{"a stranger", ada, winter, [][]byte{k.sign("eve", Namespace, winter)}, UnknownKey, "is by a key that is no publisher's (SHA256:"},
		{"another one's", bob, winter, [][]byte{good}, UnknownKey, ""},
		{"expired", lapsed, winter, [][]byte{good}, Expired, "is by a key of Ada that ended on 2026-12-01 (SHA256:"},
		{"expires", lapses, winter, [][]byte{good}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := refused(t, settings(test.by), publication(t, test.src, test.signatures...), test.want)
			if r != nil && !strings.Contains(r.Text, test.text) {
				t.Errorf("%s\nwant %s", r.Text, test.text)
			}
			if r != nil && (r.By.Verified || (r.By.Key == "") != (r.Kind == Unsigned || r.Kind == NoSignature)) {
				t.Errorf("by %+v", r.By)
			}
		})
	}
}

// securityKey signs as a FIDO2 device does, with any flags (PROTOCOL.u2f).
type securityKey struct {
	private ed25519.PrivateKey
	flags   byte
	more    []byte // behind the signature, where nothing belongs
}

func newSecurityKey(t testing.TB) securityKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return securityKey{private: private}
}

func (k securityKey) PublicKey() ssh.PublicKey {
	blob := ssh.Marshal(struct{ Kind, Key, Application string }{ssh.KeyAlgoSKED25519, string(k.private.Public().(ed25519.PublicKey)), "ssh:"})
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		panic(err)
	}
	return key
}

func (k securityKey) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	application, message := sha256.Sum256([]byte("ssh:")), sha256.Sum256(data)
	flags := []byte{k.flags, 0, 0, 0, 7}
	signed := append(append(application[:], flags...), message[:]...)
	return &ssh.Signature{Format: ssh.KeyAlgoSKED25519, Blob: ed25519.Sign(k.private, signed), Rest: append(flags, k.more...)}, nil
}

func armored(t testing.TB, signer ssh.Signer, src []byte) []byte {
	t.Helper()
	sig, err := sshsig.Sign(bytes.NewReader(src), signer, sshsig.HashSHA512, Namespace)
	if err != nil {
		t.Fatal(err)
	}
	return sshsig.Armor(sig)
}

// TestTouch: whoever has the device's computer, but not the device's owner, can
// have it sign without a touch.
func TestTouch(t *testing.T) {
	k := newSecurityKey(t)
	for _, test := range []struct {
		touch config.Touch
		flags byte
		want  Kind
	}{
		{config.NoTouch, userPresent, ""},
		{config.NoTouch, 0, Untouched},
		{config.TouchRequired, userPresent, ""},
		{config.TouchRequired, userPresent | userVerified, ""},
		{config.TouchRequired, userVerified, Untouched},
		{config.TouchRequired, 0, Untouched},
		{config.TouchVerified, userPresent | userVerified, ""},
		{config.TouchVerified, userPresent, Untouched},
		{config.TouchVerified, userVerified, Untouched},
		{config.TouchVerified, 0, Untouched},
	} {
		k.flags = test.flags
		refused(t, settings(publisher("Ada", test.touch, k.PublicKey())), publication(t, winter, armored(t, k, winter)), test.want)
	}
	k.flags, k.more = userPresent, []byte{0}
	refused(t, settings(publisher("Ada", "", k.PublicKey())), publication(t, winter, armored(t, k, winter)), Tampered)
}

// TestSecurityKeyAgrees: ssh-keygen takes the signatures of these tests' device for
// a real one's, and lets a missing touch pass, which is why the flags are looked at here.
func TestSecurityKeyAgrees(t *testing.T) {
	k := newKeyring(t)
	device := newSecurityKey(t)
	for _, file := range []struct{ name, text string }{
		{"signers", "ada " + string(ssh.MarshalAuthorizedKey(device.PublicKey()))}, {"winter.sig", string(armored(t, device, winter))},
	} {
		if err := os.WriteFile(filepath.Join(k.dir, file.name), []byte(file.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "ada", "-n", Namespace, "-s", "winter.sig")
	cmd.Dir, cmd.Stdin = k.dir, bytes.NewReader(winter)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestForgedTouch: the flags are signed, too.
func TestForgedTouch(t *testing.T) {
	k := newSecurityKey(t)
	sig, err := sshsig.Sign(bytes.NewReader(winter), k, sshsig.HashSHA512, Namespace)
	if err != nil {
		t.Fatal(err)
	}
	sig.Signature.Rest[0] = userPresent | userVerified
	refused(t, settings(publisher("Ada", config.TouchVerified, k.PublicKey())), publication(t, winter, sshsig.Armor(sig)), Tampered)
}

// TestTail: nothing covers what stands behind an ordinary signature.
func TestTail(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := sshsig.Sign(bytes.NewReader(winter), signer, sshsig.HashSHA512, Namespace)
	if err != nil {
		t.Fatal(err)
	}
	sig.Signature.Rest = []byte{userPresent, 0, 0, 0, 1}
	refused(t, settings(publisher("Ada", "", signer.PublicKey())), publication(t, winter, sshsig.Armor(sig)), Tampered)
}

// TestMutations: of 10,000 notices and signatures that were changed somehow, none
// counts.
func TestMutations(t *testing.T) {
	k := newKeyring(t)
	device := newSecurityKey(t)
	device.flags = userPresent
	cfg := settings(publisher("Ada", "", k.key("ada", "ed25519")), publisher("Bob", "", device.PublicKey()))
	signatures := [][]byte{k.sign("ada", Namespace, winter), armored(t, device, winter)}
	r := mathrand.New(mathrand.NewPCG(1, 2))
	for tried := 0; tried < 10_000; {
		src, sig := winter, signatures[r.IntN(2)]
		if r.IntN(3) == 0 {
			src = mutate(r, src)
		} else {
			sig = mutate(r, sig)
		}
		if bytes.Equal(src, winter) && (bytes.Equal(sig, signatures[0]) || bytes.Equal(sig, signatures[1])) {
			continue
		}
		tried++
		if by, err := Judge(cfg, publication(t, src, sig), now); err == nil {
			t.Fatalf("accepted as by %+v:\n%q\n%q", by, src, sig)
		}
	}
}

// mutate changes a few bytes: other bits, other bytes, more, fewer, or in other
// places.
func mutate(r *mathrand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + r.IntN(3) {
		if len(b) == 0 {
			return b
		}
		i, j := r.IntN(len(b)), r.IntN(len(b))
		switch r.IntN(7) {
		case 0:
			b[i] ^= 1 << r.IntN(8)
		case 1:
			b[i] = "\r\n\t =-A/+\x00"[r.IntN(10)]
		case 2:
			b = append(b[:i], append([]byte{"\r\n =Aa"[r.IntN(6)]}, b[i:]...)...)
		case 3:
			b = append(b[:i], b[i+1:]...)
		case 4:
			b[i], b[j] = b[j], b[i]
		case 5:
			b = b[:i]
		case 6:
			b = append(b, b[i:]...)
		}
	}
	return b
}

// FuzzSignature: nothing but the one file that ssh-keygen wrote is a signature of
// the notice, and no rubbish brings the parser down.
func FuzzSignature(f *testing.F) {
	k := newKeyring(f)
	cfg := settings(publisher("Ada", "", k.key("ada", "ed25519")))
	good := k.sign("ada", Namespace, winter)
	f.Add(good)
	f.Add(bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")))
	f.Add([]byte("-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n"))
	blob, err := unarmor(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sig []byte) {
		got, err := unarmor(sig)
		if err == nil && bytes.Equal(got, blob) {
			return // the same signature, by lines of another length
		}
		if by, err := Judge(cfg, publication(t, winter, sig), now); err == nil {
			t.Fatalf("accepted as by %+v: %q", by, sig)
		}
	})
}
