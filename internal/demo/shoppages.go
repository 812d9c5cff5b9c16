package demo

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/backsoon/backsoon/notify/webhook"
)

// The one product, and how many of it a cart holds.
const (
	priceCents = 1450
	maxCopies  = 9
)

// page is what the shop's templates see.
type page struct {
	Shop    string
	State   webhook.Data
	Reopens string // "Sat 2 January 2027, 09:00 WET"; empty: not known, or past
	Copies  int    // in the cart
	Price   string
	Total   string
	Order   int // the number of the order just taken
	Name    string
}

// Closed tells whether the checkout is off.
func (p page) Closed() bool { return p.State.Checkout == "off" }

// Handler serves the shop: the product at /, /cart, /checkout, where the
// webhook goes (POST /hooks/closure), and what the shop obeys (/state, JSON).
func (s *Shop) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.show("product.html"))
	mux.HandleFunc("GET /cart", s.show("cart.html"))
	mux.HandleFunc("POST /cart", s.fill)
	mux.HandleFunc("GET /checkout", s.checkout)
	mux.HandleFunc("POST /checkout", s.pay)
	mux.HandleFunc("POST /hooks/closure", s.hook)
	mux.HandleFunc("GET /state", s.tell)
	return mux
}

// show renders a page that stays as it is while the shop is closed, with a
// banner: search engines and carts must not suffer.
func (s *Shop) show(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		render(w, http.StatusOK, name, s.page(r))
	}
}

func (s *Shop) page(r *http.Request) page {
	state := s.current()
	copies := copiesIn(r)
	p := page{Shop: s.name, State: state, Copies: copies, Price: euros(priceCents), Total: euros(copies * priceCents)}
	if state.Until != nil && state.Until.After(s.now()) {
		p.Reopens = state.Until.In(s.Location).Format("Mon 2 January 2006, 15:04 MST")
	}
	return p
}

// fill puts one more copy into the cart or, with empty=1, takes all out. The
// cart is a cookie: nothing here knows the customer.
func (s *Shop) fill(w http.ResponseWriter, r *http.Request) {
	copies := min(copiesIn(r)+1, maxCopies)
	if r.FormValue("empty") != "" {
		copies = 0
	}
	setCart(w, copies)
	http.Redirect(w, r, "/cart", http.StatusSeeOther)
}

// checkout is where one pays. A link to it with buy=1 brings the book along.
func (s *Shop) checkout(w http.ResponseWriter, r *http.Request) {
	p := s.page(r)
	switch {
	case p.Copies == 0 && r.FormValue("buy") != "":
		setCart(w, 1)
		http.Redirect(w, r, "/checkout", http.StatusSeeOther)
	case p.Closed():
		s.refuse(w, p)
	case p.Copies == 0:
		http.Redirect(w, r, "/cart", http.StatusSeeOther)
	default:
		render(w, http.StatusOK, "checkout.html", p)
	}
}

// pay decides for itself, whatever the customer saw before: a cart may have
// been filled, and its form opened, while the shop was open.
func (s *Shop) pay(w http.ResponseWriter, r *http.Request) {
	if copiesIn(r) == 0 {
		http.Redirect(w, r, "/cart", http.StatusSeeOther)
		return
	}
	number, taken := s.order()
	p := s.page(r)
	if !taken {
		s.refuse(w, p)
		return
	}
	setCart(w, 0)
	p.Order, p.Name = number, strings.TrimSpace(r.FormValue("name"))
	render(w, http.StatusOK, "ordered.html", p)
}

func (s *Shop) refuse(w http.ResponseWriter, p page) {
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter(p.State.Until, s.now())))
	render(w, http.StatusServiceUnavailable, "closed.html", p)
}

// retryAfter is in seconds (RFC 9110, section 10.2.3): until the planned end,
// an hour if there is none, and never less than a minute.
func retryAfter(until *time.Time, now time.Time) int {
	if until == nil {
		return 3600
	}
	return max(60, int(until.Sub(now).Seconds()))
}

func (s *Shop) tell(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(s.current())
}

func copiesIn(r *http.Request) int {
	c, err := r.Cookie("cart")
	if err != nil {
		return 0
	}
	copies, err := strconv.Atoi(c.Value)
	if err != nil {
		return 0
	}
	return min(max(copies, 0), maxCopies)
}

func setCart(w http.ResponseWriter, copies int) {
	http.SetCookie(w, &http.Cookie{Name: "cart", Value: strconv.Itoa(copies), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func euros(cents int) string {
	return "€" + strconv.FormatFloat(float64(cents)/100, 'f', 2, 64)
}
