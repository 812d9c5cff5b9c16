package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/backsoon/backsoon/notify/webhook"
)

// receiver is the whole of what a shop written in Go needs.
type receiver struct {
	secrets []string
	file    string // the state, as the last obeyed webhook's data

	mu    sync.Mutex
	state webhook.Data
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
		return
	}
	if err := webhook.Verify(rc.secrets, r.Header, body, time.Now()); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	var p webhook.Payload
	if err := json.Unmarshal(body, &p); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if p.Type == webhook.TypeOpened || p.Type == webhook.TypeClosed { // any other, such as a test, is not obeyed
		err = rc.obey(p.Data)
	}
	if err != nil {
		http.Error(w, "not stored", http.StatusInternalServerError) // it will be sent again
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// obey stores what is newer, on disk before anything else.
func (rc *receiver) obey(data webhook.Data) error {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if data.Revision <= rc.state.Revision {
		return nil
	}
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if err := os.WriteFile(rc.file+".new", text, 0o600); err != nil {
		return err
	}
	if err := os.Rename(rc.file+".new", rc.file); err != nil {
		return err
	}
	rc.state = data
	return nil
}

// mayPay is what the checkout asks before it takes money.
func (rc *receiver) mayPay() bool {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return rc.state.Checkout != "off"
}

func Example() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	secret := webhook.NewSecret()
	shop := &receiver{secrets: []string{secret}, file: filepath.Join(dir, "checkout.json")}
	server := httptest.NewServer(shop)
	defer server.Close()

	client := webhook.NewClient()
	endpoint := webhook.Endpoint{URL: server.URL, Secrets: []string{secret}}
	for i, message := range []webhook.Payload{
		{Type: webhook.TypeClosed, Data: webhook.Data{Storefront: "web", Checkout: "off", Revision: 2}},
		{Type: webhook.TypeOpened, Data: webhook.Data{Storefront: "web", Checkout: "on", Revision: 1}}, // late
		{Type: webhook.TypeOpened, Data: webhook.Data{Storefront: "web", Checkout: "on", Revision: 3}},
	} {
		body, err := json.Marshal(message)
		if err != nil {
			fmt.Println(err)
			return
		}
		outcome := client.Send(context.Background(), endpoint, fmt.Sprint("msg_", i), time.Now(), body)
		fmt.Println("revision", message.Data.Revision, "answered", outcome.Status, "may pay:", shop.mayPay())
	}
	// Output:
	// revision 2 answered 204 may pay: false
	// revision 1 answered 204 may pay: false
	// revision 3 answered 204 may pay: true
}
