package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backsoon/backsoon/notify/webhook"
)

var christmas = time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)

// shopServer is a running shop and one customer.
type shopServer struct {
	t        *testing.T
	shop     *Shop
	secret   string
	url      string
	customer *http.Client
}

func startShop(t *testing.T, stateFile string) *shopServer {
	t.Helper()
	secret := webhook.NewSecret()
	shop, err := NewShop("Harbour <Books>", []string{secret}, stateFile)
	if err != nil {
		t.Fatal(err)
	}
	shop.now = func() time.Time { return christmas }
	server := httptest.NewServer(shop.Handler())
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &shopServer{t, shop, secret, server.URL, &http.Client{Jar: jar}}
}

func (s *shopServer) get(path string) (*http.Response, string) {
	s.t.Helper()
	return s.read(s.customer.Get(s.url + path))
}

func (s *shopServer) post(path string, form url.Values) (*http.Response, string) {
	s.t.Helper()
	return s.read(s.customer.PostForm(s.url+path, form))
}

func (s *shopServer) read(resp *http.Response, err error) (*http.Response, string) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(body)
}

// tell sends a webhook and gives the status of the answer.
func (s *shopServer) tell(p webhook.Payload) int {
	s.t.Helper()
	body, err := json.Marshal(p)
	if err != nil {
		s.t.Fatal(err)
	}
	e := webhook.Endpoint{URL: s.url + "/hooks/closure", Secrets: []string{s.secret}}
	return webhook.NewClient().Send(s.t.Context(), e, "msg_1", christmas, body).Status
}

func closed(revision int64) webhook.Payload {
	until := christmas.Add(15 * time.Hour)
	return webhook.Payload{Type: webhook.TypeClosed, Timestamp: christmas, Data: webhook.Data{
		Storefront: "web", Checkout: "off", Revision: revision, Until: &until,
		Message: "Closed for <winter>", URL: "https://status.example/closures/winter/",
	}}
}

func opened(revision int64) webhook.Payload {
	return webhook.Payload{Type: webhook.TypeOpened, Timestamp: christmas, Data: webhook.Data{Storefront: "web", Checkout: "on", Revision: revision}}
}

func contains(t *testing.T, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
}

func TestOrderInTheOpenShop(t *testing.T) {
	s := startShop(t, filepath.Join(t.TempDir(), "shop.json"))
	_, product := s.get("/")
	contains(t, product, "Harbour &lt;Books&gt;", "<svg", "In stock")
	s.post("/cart", nil)
	_, cart := s.post("/cart", nil)
	contains(t, cart, "2 × €14.50", "€29.00", `href="/checkout"`)
	_, checkout := s.get("/checkout")
	contains(t, checkout, "Pay €29.00")
	resp, order := s.post("/checkout", url.Values{"name": {"<b>Ada"}})
	if resp.StatusCode != http.StatusOK {
		t.Errorf("paying is answered %d", resp.StatusCode)
	}
	contains(t, order, "Order 1 taken", "&lt;b&gt;Ada")
	_, cart = s.get("/cart")
	contains(t, cart, "nothing in it")
}

func TestLinkToTheCheckoutBringsTheBook(t *testing.T) {
	s := startShop(t, filepath.Join(t.TempDir(), "shop.json"))
	for range 2 { // the second time it is there already
		resp, checkout := s.get("/checkout?buy=1")
		if resp.StatusCode != http.StatusOK {
			t.Errorf("answered %d", resp.StatusCode)
		}
		contains(t, checkout, "1 × The Lamp", "Pay €14.50")
	}
	s.post("/cart", url.Values{"empty": {"1"}})
	s.tell(closed(7))
	resp, refused := s.get("/checkout?buy=1")
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("while closed answered %d", resp.StatusCode)
	}
	contains(t, refused, "The checkout is closed", "1 × The Lamp")
}

func TestFilledCartCannotBePaidAfterClosing(t *testing.T) {
	s := startShop(t, filepath.Join(t.TempDir(), "shop.json"))
	s.shop.Location = time.FixedZone("WET", 0)
	s.post("/cart", nil)
	s.get("/checkout")
	if status := s.tell(closed(7)); status != http.StatusNoContent {
		t.Fatalf("the webhook is answered %d", status)
	}
	for _, try := range []func() (*http.Response, string){
		func() (*http.Response, string) { return s.post("/checkout", url.Values{"name": {"Ada"}}) },
		func() (*http.Response, string) { return s.get("/checkout") },
	} {
		resp, page := try()
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "54000" {
			t.Errorf("answered %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
		}
		contains(t, page, "Closed for &lt;winter&gt;", "Fri 25 December 2026, 09:00 WET", `href="https://status.example/closures/winter/"`, "1 × The Lamp")
	}
	resp, product := s.get("/")
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the product page is answered %d", resp.StatusCode)
	}
	contains(t, product, "Closed for &lt;winter&gt;")

	s.tell(opened(8))
	resp, order := s.post("/checkout", nil)
	if resp.StatusCode != http.StatusOK {
		t.Errorf("after reopening paying is answered %d", resp.StatusCode)
	}
	contains(t, order, "Order 1 taken")
}

func TestHookObeysOnlyWhatIsNewer(t *testing.T) {
	s := startShop(t, filepath.Join(t.TempDir(), "shop.json"))
	test := closed(99)
	test.Type = webhook.TypeTest
	for _, step := range []struct {
		message  webhook.Payload
		checkout string
		revision int64
	}{
		{test, "on", 0},
		{closed(2), "off", 2},
		{opened(1), "off", 2},
		{opened(2), "off", 2},
		{test, "off", 2},
		{opened(3), "on", 3},
		{closed(2), "on", 3},
	} {
		if status := s.tell(step.message); status != http.StatusNoContent {
			t.Errorf("%s %d is answered %d", step.message.Type, step.message.Data.Revision, status)
		}
		if checkout, revision := s.shop.State(); checkout != step.checkout || revision != step.revision {
			t.Errorf("after %s %d: %s %d", step.message.Type, step.message.Data.Revision, checkout, revision)
		}
	}
}

func TestHookRefuses(t *testing.T) {
	s := startShop(t, filepath.Join(t.TempDir(), "shop.json"))
	s.secret = webhook.NewSecret()
	if status := s.tell(closed(1)); status != http.StatusUnauthorized {
		t.Errorf("a stranger's webhook is answered %d", status)
	}
	s.secret = s.shop.secrets[0]
	s.shop.now = func() time.Time { return christmas.Add(webhook.Tolerance + time.Second) }
	if status := s.tell(closed(1)); status != http.StatusUnauthorized {
		t.Errorf("a stale webhook is answered %d", status)
	}
	if resp, _ := s.post("/hooks/closure", url.Values{"x": {strings.Repeat("x", 100<<10)}}); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("100 KiB are answered %d", resp.StatusCode)
	}
	if checkout, revision := s.shop.State(); checkout != "on" || revision != 0 {
		t.Errorf("and yet obeyed: %s %d", checkout, revision)
	}
}

func TestHookAcknowledgesOnlyWhatIsStored(t *testing.T) {
	s := startShop(t, filepath.Join(t.TempDir(), "no", "such", "folder", "shop.json"))
	if status := s.tell(closed(1)); status != http.StatusInternalServerError {
		t.Errorf("answered %d", status)
	}
	if checkout, _ := s.shop.State(); checkout != "on" {
		t.Error("obeyed what a restart would forget")
	}
}

func TestStateSurvivesRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.json")
	s := startShop(t, file)
	s.tell(closed(5))
	again := startShop(t, file)
	if checkout, revision := again.shop.State(); checkout != "off" || revision != 5 {
		t.Errorf("came back %s %d", checkout, revision)
	}
	_, text := again.get("/state")
	var state webhook.Data
	if err := json.Unmarshal([]byte(text), &state); err != nil || state.Checkout != "off" || state.Revision != 5 {
		t.Errorf("/state says %s: %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".shop-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(file, []byte(`{"checkout":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewShop("x", nil, file); err == nil {
		t.Error("a broken state file opens the shop")
	}
}

func TestForgedCart(t *testing.T) {
	for value, want := range map[string]int{"": 0, "-3": 0, "4": 4, "1000000": maxCopies, "x": 0} {
		r := httptest.NewRequest("GET", "/cart", nil)
		r.AddCookie(&http.Cookie{Name: "cart", Value: value})
		if got := copiesIn(r); got != want {
			t.Errorf("%q holds %d copies", value, got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	at := func(d time.Duration) *time.Time { t := christmas.Add(d); return &t }
	for _, test := range []struct {
		until *time.Time
		want  int
	}{{nil, 3600}, {at(-time.Hour), 60}, {at(time.Second), 60}, {at(2 * time.Hour), 7200}} {
		if got := retryAfter(test.until, christmas); got != test.want {
			t.Error(fmt.Sprint(test.until), got)
		}
	}
}
