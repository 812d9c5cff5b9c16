package webhook

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

var moment = time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)

// signed gives the headers of a message as the client sends them.
func signed(t *testing.T, secrets []string, id string, at time.Time, body []byte) http.Header {
	t.Helper()
	signatures, err := Sign(secrets, id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(HeaderSignature, signatures)
	return h
}

func TestIndependentLibraryAcceptsOurSignature(t *testing.T) {
	before, after := NewSecret(), NewSecret()
	body := []byte(`{"type":"test"}`)
	header := signed(t, []string{after, before}, "msg_1", moment, body)
	for _, secret := range []string{before, after} {
		wh, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := wh.VerifyIgnoringTimestamp(body, header); err != nil {
			t.Errorf("during a rotation: %v", err)
		}
		if err := wh.VerifyIgnoringTimestamp(append(body, ' '), header); err == nil {
			t.Error("the library accepts another body")
		}
	}
}

func TestVerifyAcceptsIndependentLibrarysSignature(t *testing.T) {
	secret := NewSecret()
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte("any bytes \x00\xff")
	header := signed(t, []string{NewSecret()}, "msg_1", moment, body)
	signature, err := wh.Sign("msg_1", moment, body)
	if err != nil {
		t.Fatal(err)
	}
	header.Set(HeaderSignature, "v1a,other "+header.Get(HeaderSignature)+" "+signature)
	if err := Verify([]string{NewSecret(), secret}, header, body, moment); err != nil {
		t.Error(err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	secret := NewSecret()
	body := []byte(`{"revision":7}`)
	header := func(name, value string) func(http.Header) {
		return func(h http.Header) { h.Set(name, value) }
	}
	same := signed(t, []string{secret}, "msg_1", moment, body).Get(HeaderSignature)
	tests := map[string]struct {
		change func(http.Header)
		want   error
	}{
		"another id":           {header(HeaderID, "msg_2"), ErrSignature},
		"another timestamp":    {header(HeaderTimestamp, strconv.FormatInt(moment.Unix()+1, 10)), ErrSignature},
		"a respelt timestamp":  {header(HeaderTimestamp, "+"+strconv.FormatInt(moment.Unix(), 10)), ErrSignature},
		"another version":      {header(HeaderSignature, "v2"+strings.TrimPrefix(same, "v1")), ErrSignature},
		"no version":           {header(HeaderSignature, strings.TrimPrefix(same, "v1,")), ErrSignature},
		"half a signature":     {header(HeaderSignature, same[:20]), ErrSignature},
		"no id":                {header(HeaderID, ""), ErrHeaders},
		"an id with full stop": {header(HeaderID, "msg.1"), ErrHeaders},
		"no timestamp":         {header(HeaderTimestamp, ""), ErrHeaders},
		"a timestamp in words": {header(HeaderTimestamp, "now"), ErrHeaders},
		"an endless timestamp": {header(HeaderTimestamp, strings.Repeat("9", 40)), ErrHeaders},
		"no signature":         {header(HeaderSignature, " "), ErrHeaders},
	}
	for name, test := range tests {
		h := signed(t, []string{secret}, "msg_1", moment, body)
		test.change(h)
		if err := Verify([]string{secret}, h, body, moment); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	h := signed(t, []string{secret}, "msg_1", moment, body)
	if err := Verify([]string{secret}, h, []byte(`{"revision":8}`), moment); !errors.Is(err, ErrSignature) {
		t.Errorf("another body: %v", err)
	}
	if err := Verify([]string{NewSecret()}, h, body, moment); !errors.Is(err, ErrSignature) {
		t.Errorf("another secret: %v", err)
	}
}

func TestVerifyLooksAtTheClockBothWays(t *testing.T) {
	secrets := []string{NewSecret()}
	header := signed(t, secrets, "msg_1", moment, nil)
	for offset, want := range map[time.Duration]error{
		-Tolerance - time.Second: ErrStale,
		-Tolerance:               nil,
		Tolerance:                nil,
		Tolerance + time.Second:  ErrStale,
	} {
		if err := Verify(secrets, header, nil, moment.Add(offset)); !errors.Is(err, want) {
			t.Errorf("%s later: %v, want %v", offset, err, want)
		}
	}
}

func TestSignRefusesWithoutRepeatingTheSecret(t *testing.T) {
	long := "whsec_" + strings.Repeat("AAAA", 22) // 66 bytes
	for _, secret := range []string{"", "whsec_", long, "hunter2", "whsec_hunter2", "whsec_aHVudGVyMg==", strings.TrimPrefix(NewSecret(), "whsec_"),
		NewSecret() + "\n"} {
		if ValidSecret(secret) {
			t.Errorf("%q is a secret", secret)
		}
		_, err := Sign([]string{NewSecret(), secret}, "msg_1", moment, nil)
		if err == nil {
			t.Errorf("signs with %q", secret)
			continue
		}
		if !strings.Contains(err.Error(), "secret 2 of 2") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error says %q", secret, err)
		}
	}
	if _, err := Sign(nil, "msg_1", moment, nil); err == nil {
		t.Error("signs without a secret")
	}
	for _, id := range []string{"", "a.b", "a b", "a\nb"} {
		if _, err := Sign([]string{NewSecret()}, id, moment, nil); err == nil {
			t.Errorf("signs the id %q", id)
		}
	}
}

func FuzzVerify(f *testing.F) {
	secrets := []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
	good, err := Sign(secrets, "msg_1", moment, []byte("{}"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("msg_1", strconv.FormatInt(moment.Unix(), 10), good, []byte("{}"))
	f.Add("msg_1", "01798135200", good, []byte("{}"))
	f.Add("msg", "", "v1, v1,= ,", []byte("1.1798135200.{}"))
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		h := http.Header{}
		h.Set(HeaderID, id)
		h.Set(HeaderTimestamp, timestamp)
		h.Set(HeaderSignature, signature)
		if Verify(secrets, h, body, moment) != nil {
			return
		}
		seconds, err := strconv.ParseInt(timestamp, 10, 64)
		if err != nil {
			t.Fatalf("accepts the timestamp %q", timestamp)
		}
		genuine, err := Sign(secrets, id, time.Unix(seconds, 0), body)
		if err != nil {
			t.Fatalf("accepts what cannot be signed: %v", err)
		}
		for _, s := range strings.Fields(signature) {
			if slices.Contains(strings.Fields(genuine), s) {
				return
			}
		}
		t.Fatalf("accepts %q, Sign makes %q", signature, genuine)
	})
}
