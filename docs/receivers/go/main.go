// Command go is a storefront's receiver: it obeys the signed webhook, keeps the
// newest state on disk, and tells the checkout whether it may take money.
//
//	WEBHOOK_SECRET=whsec_… STATE_FILE=checkout.json LISTEN=127.0.0.1:9000 go run .
package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/backsoon/backsoon/notify/webhook"
)

var (
	secrets   = strings.Fields(os.Getenv("WEBHOOK_SECRET")) // two while one replaces the other
	stateFile = os.Getenv("STATE_FILE")

	mu    sync.Mutex
	state webhook.Data
)

func main() {
	text, err := os.ReadFile(stateFile)
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Fatal(err) // better no shop than one that forgot it is closed
	}
	http.HandleFunc("POST /hooks/closure", receive)
	http.HandleFunc("GET /checkout", checkout)
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}

func receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err == nil {
		err = webhook.Verify(secrets, r.Header, body, time.Now())
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	var p webhook.Payload
	err = json.Unmarshal(body, &p)
	if err == nil && (p.Type == webhook.TypeClosed || p.Type == webhook.TypeOpened) { // a test is not obeyed
		err = obey(p.Data)
	}
	if err != nil {
		http.Error(w, "not stored", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func obey(newer webhook.Data) error {
	mu.Lock()
	defer mu.Unlock()
	if newer.Revision <= state.Revision {
		return nil
	}
	f, err := os.Create(stateFile + ".new")
	if err != nil {
		return err
	}
	err = errors.Join(json.NewEncoder(f).Encode(newer), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(stateFile+".new", stateFile)
	}
	if err == nil {
		state = newer
	}
	return err
}

func checkout(w http.ResponseWriter, r *http.Request) {
	mu.Lock()
	defer mu.Unlock()
	if state.Checkout != "off" {
		io.WriteString(w, "open\n")
		return
	}
	wait := time.Hour
	if state.Until != nil {
		wait = max(time.Minute, time.Until(*state.Until))
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	http.Error(w, "closed: "+state.Message, http.StatusServiceUnavailable)
}
