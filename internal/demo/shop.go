// Package demo is the demo's own three parts: a mailbox that takes mail and shows
// it, a small shop that obeys only the signed webhook, and the screen on which
// all of it is seen at once.
package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/backsoon/backsoon/notify/webhook"
)

// Shop is a small online shop with one product. Its checkout follows the signed
// webhook and nothing else. It is safe for concurrent use.
type Shop struct {
	Location *time.Location // in which the shop writes times; UTC unless set

	name    string
	secrets []string
	file    string
	now     func() time.Time

	mu     sync.Mutex
	state  webhook.Data // the newest that was obeyed; zero: none yet, and open
	orders int
}

// NewShop gives a shop that knows the secrets and keeps its state in a file. If
// the file is there, the shop is as it was; a file that is not the shop's own is
// an error, because a shop that forgot it is closed would sell.
func NewShop(name string, secrets []string, stateFile string) (*Shop, error) {
	s := &Shop{Location: time.UTC, name: name, secrets: secrets, file: stateFile, now: time.Now}
	text, err := os.ReadFile(stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the shop's state: %w", err)
	}
	if err := json.Unmarshal(text, &s.state); err != nil {
		return nil, fmt.Errorf("the shop's state: %s: %w", stateFile, err)
	}
	return s, nil
}

// State tells what the shop obeys now: "on" or "off", and since which revision;
// 0 before the first webhook.
func (s *Shop) State() (checkout string, revision int64) {
	state := s.current()
	return state.Checkout, state.Revision
}

func (s *Shop) current() webhook.Data {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.state
	if state.Checkout == "" {
		state.Checkout, state.Notices = "on", []string{}
	}
	return state
}

// order takes an order, unless the shop is closed at this very moment: an order
// never passes a closure that has been acknowledged.
func (s *Shop) order() (number int, taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Checkout == "off" {
		return 0, false
	}
	s.orders++
	return s.orders, true
}

// hook receives the webhook.
func (s *Shop) hook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		http.Error(w, "the body is too long or broke off", http.StatusBadRequest)
		return
	}
	if err := webhook.Verify(s.secrets, r.Header, body, s.now()); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	var p webhook.Payload
	if err := json.Unmarshal(body, &p); err != nil {
		http.Error(w, "the body is not a storefront webhook", http.StatusBadRequest)
		return
	}
	if p.Type == webhook.TypeOpened || p.Type == webhook.TypeClosed {
		err = s.obey(p.Data)
	}
	if err != nil {
		http.Error(w, "the state could not be stored", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// obey takes over what is newer, once it is on disk.
func (s *Shop) obey(state webhook.Data) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state.Revision <= s.state.Revision {
		return nil
	}
	if err := store(s.file, state); err != nil {
		return err
	}
	s.state = state
	return nil
}

// store replaces the file as a whole: after a crash it holds the old state or
// the new one.
func store(file string, state webhook.Data) error {
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".shop-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // gone already if all went well
	_, err = tmp.Write(text)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}
