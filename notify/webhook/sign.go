// Package webhook is signed storefront webhooks: it sends what it is given and
// says what came of it. Sign and Verify are public API for receivers written in
// Go.
//
// The format is Standard Webhooks 1.0.0 (https://www.standardwebhooks.com). A
// request carries three headers beside its JSON body, which is a [Payload]:
//
//	webhook-id         names the message, the same at every attempt
//	webhook-timestamp  the attempt's time, in seconds since 1970 UTC
//	webhook-signature  "v1," and the base64 of an HMAC-SHA256 over
//	                   id.timestamp.body; one for each secret, spaces between
//
// A secret is "whsec_" and the base64 of 24 to 64 random bytes. While one is
// being replaced the sender signs with both, and a receiver that knows either
// accepts the message.
package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a signed message.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Tolerance is how far a message's timestamp may be from the receiver's clock,
// before or after. It bounds how long a recorded message can be replayed.
const Tolerance = 5 * time.Minute

// What Verify finds wrong with a message.
var (
	ErrHeaders   = errors.New("webhook: webhook-id, webhook-timestamp or webhook-signature is missing or malformed")
	ErrSignature = errors.New("webhook: no signature fits the message")
	ErrStale     = errors.New("webhook: the timestamp is more than 5 minutes from now")
)

const (
	secretPrefix = "whsec_"
	version      = "v1,"
	minSecret    = 24 // bytes; both bounds are Standard Webhooks'
	maxSecret    = 64
)

// NewSecret makes a secret from 32 random bytes.
func NewSecret() string {
	key := make([]byte, 32)
	rand.Read(key) // never fails, as its documentation promises
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// Sign gives the value of the webhook-signature header: one signature a secret,
// in their order. It is an error if there is no secret, if one of them is
// malformed, or if id is empty or has a full stop or a space in it. No error
// repeats a secret.
func Sign(secrets []string, id string, at time.Time, body []byte) (string, error) {
	if !validID(id) {
		return "", errors.New("webhook: an id has at least one character, and no full stop or space")
	}
	keys, err := decodeSecrets(secrets)
	if err != nil {
		return "", err
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	signatures := make([]string, len(keys))
	for i, key := range keys {
		signatures[i] = signature(key, id, timestamp, body)
	}
	return strings.Join(signatures, " "), nil
}

// Verify tells whether a message is authentic and fresh: one of its signatures
// must be made with one of the secrets, and its timestamp be within Tolerance
// of now. The body is the raw one, before any parsing. The error is ErrHeaders,
// ErrSignature, ErrStale, or says which secret is malformed. Signatures are
// compared in constant time.
func Verify(secrets []string, header http.Header, body []byte, now time.Time) error {
	keys, err := decodeSecrets(secrets)
	if err != nil {
		return err
	}
	id, timestamp := header.Get(HeaderID), header.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	given := strings.Fields(header.Get(HeaderSignature))
	if err != nil || !validID(id) || len(given) == 0 {
		return ErrHeaders
	}
	if !anySigned(keys, given, id, timestamp, body) {
		return ErrSignature
	}
	if at := time.Unix(seconds, 0); at.Before(now.Add(-Tolerance)) || at.After(now.Add(Tolerance)) {
		return ErrStale
	}
	return nil
}

func anySigned(keys [][]byte, given []string, id, timestamp string, body []byte) bool {
	for _, key := range keys {
		want := []byte(signature(key, id, timestamp, body))
		for _, s := range given {
			if hmac.Equal([]byte(s), want) {
				return true
			}
		}
	}
	return false
}

// signature takes the timestamp as it stands in the header, so that no other
// spelling of the same number verifies.
func signature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	return version + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// validID refuses the full stop, which separates the signed parts: with it two
// different messages could have the same signature.
func validID(id string) bool {
	return id != "" && !strings.ContainsAny(id, ". \t\r\n")
}

func decodeSecrets(secrets []string) ([][]byte, error) {
	if len(secrets) == 0 {
		return nil, errors.New("webhook: there is no secret")
	}
	keys := make([][]byte, len(secrets))
	for i, s := range secrets {
		key, ok := decodeSecret(s)
		if !ok {
			return nil, fmt.Errorf("webhook: secret %d of %d is not %q followed by the base64 of 24 to 64 bytes", i+1, len(secrets), secretPrefix)
		}
		keys[i] = key
	}
	return keys, nil
}

// ValidSecret tells whether a text is a secret.
func ValidSecret(text string) bool {
	_, ok := decodeSecret(text)
	return ok
}

func decodeSecret(text string) (key []byte, ok bool) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	broken := strings.ContainsAny(encoded, "\r\n") // which the decoder passes over
	return key, ok && err == nil && !broken && minSecret <= len(key) && len(key) <= maxSecret
}
