package subscribe

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fill is the form as a browser sends it.
func (d *desk) fill(t *testing.T, form url.Values, change ...func(*http.Request)) answer {
	t.Helper()
	return d.do(t, "POST", "/subscribe", urlencoded, strings.NewReader(form.Encode()), change...)
}

// took is what was put aside since the last time.
func (d *desk) took() []Choice {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.asked
	d.asked = nil
	return asked
}

func (d *desk) checkAsked(t *testing.T, want ...Choice) {
	t.Helper()
	if got := d.took(); len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("asked for: %+v, want %+v", got, want)
	}
}

func (d *desk) checkConfirmed(t *testing.T, want ...Choice) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.confirmed) != len(want) || len(want) > 0 && !reflect.DeepEqual(d.confirmed, want) {
		t.Errorf("confirmed: %+v, want %+v", d.confirmed, want)
	}
}

// logged is the log when nobody writes in it any more.
func (d *desk) logged() string {
	d.Close()
	return d.log.String()
}

func TestAsking(t *testing.T) {
	d := newDesk(t)
	const ada = "ada@example.com"
	for name, test := range map[string]struct {
		form url.Values
		want Choice
	}{
		"the address alone":       {url.Values{"address": {ada}}, Choice{Address: ada, Language: "en"}},
		"all storefronts":         {url.Values{"address": {ada}, "storefronts": {"till", "web"}}, Choice{Address: ada, Language: "en"}},
		"one storefront":          {url.Values{"address": {ada}, "storefronts": {"till"}}, Choice{Address: ada, Language: "en", Storefronts: []string{"till"}}},
		"one that there isn't":    {url.Values{"address": {ada}, "storefronts": {"web", "moon"}}, Choice{Address: ada, Language: "en", Storefronts: []string{"web"}}},
		"until it reopens":        {url.Values{"address": {ada}, "until_reopen": {"yes"}, "language": {"pt"}}, Choice{Address: ada, Language: "pt", UntilReopen: true}},
		"no such language":        {url.Values{"address": {ada}, "language": {"tlh"}}, Choice{Address: ada, Language: "en"}},
		"an international domain": {url.Values{"address": {" zoë@BÜCHER.example "}}, Choice{}},
		"its ASCII form":          {url.Values{"address": {" Ada@BÜCHER.example "}}, Choice{Address: "Ada@xn--bcher-kva.example", Language: "en"}},
		"the trap, left alone":    {url.Values{"address": {ada}, Trap: {""}}, Choice{Address: ada, Language: "en"}},
		"what nobody asked for":   {url.Values{"address": {ada}, "name": {"Ada"}, "Bcc": {"eve@example.com"}}, Choice{Address: ada, Language: "en"}},
	} {
		d.handler.Limits = NewLimits()
		got := d.fill(t, test.form)
		if test.want.Address == "" {
			if got.status != 422 {
				t.Errorf("%s: %d", name, got.status)
			}
			d.checkAsked(t)
			continue
		}
		if got.status != 200 || !strings.Contains(got.body, voices()[0].Text("subscribe.asked.title")) && test.want.Language == "en" {
			t.Errorf("%s: %d\n%s", name, got.status, got.body)
		}
		d.checkAsked(t, test.want)
	}
}

// TestNoAddress: what no mail may be sent to, above all what would be more than
// one line of a header or one address.
func TestNoAddress(t *testing.T) {
	d := newDesk(t)
	for _, bad := range []string{"", "ada", "a@b", "a@[127.0.0.1]", "ada@127.0.0.1", "ada@example.com,eve@example.com", "ada@example.com eve@example.com",
		"ada@example.com\r\nBcc: eve@example.com", "ada@example.com\nBcc: eve@example.com", "ada@example.com%0aBcc:eve@example.com",
		"Ada <ada@example.com>", `"a\r\nb"@example.com`, "ada@example.com\x00", "=?utf-8?q?ada?=@exa mple.com", "ada@example.com>\r\nRCPT TO:<eve@example.com",
		strings.Repeat("a", 65) + "@example.com", strings.Repeat("a", 16000) + "@example.com"} {
		if got := d.fill(t, url.Values{"address": {bad}}); got.status != 422 && got.status != 413 || strings.Contains(got.body, "eve@") {
			t.Errorf("%.80q: %d", bad, got.status)
		}
	}
	d.checkAsked(t)
}

// TestMultipart: a form of a theme that says enctype, or a script's FormData.
func TestMultipart(t *testing.T) {
	d := newDesk(t)
	body := "--x\r\nContent-Disposition: form-data; name=\"address\"\r\n\r\nada@example.com\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\npt\r\n--x--\r\n"
	if got := d.do(t, "POST", "/subscribe", "multipart/form-data; boundary=x", strings.NewReader(body)); got.status != 200 {
		t.Errorf("answered %d", got.status)
	}
	d.checkAsked(t, Choice{Address: "ada@example.com", Language: "pt"})
	large := strings.Replace(body, "ada@", strings.Repeat("x", 1<<20), 1)
	if got := d.do(t, "POST", "/subscribe", "multipart/form-data; boundary=x", strings.NewReader(large)); got.status != 413 {
		t.Errorf("a megabyte: %d", got.status)
	}
}

// TestOtherBodies: too large, no form, or twice the field.
func TestOtherBodies(t *testing.T) {
	d := newDesk(t)
	large := "address=ada@example.com&x=" + strings.Repeat("x", 1<<20)
	if got := d.do(t, "POST", "/subscribe", urlencoded, strings.NewReader(large)); got.status != 413 {
		t.Errorf("a megabyte: %d", got.status)
	}
	for contentType, body := range map[string]string{
		"":                    "address=ada@example.com",
		"application/json":    `{"address":"ada@example.com"}`,
		"multipart/form-data": "--x\r\n\r\n",
		urlencoded:            "address=%zz",
	} {
		if got := d.do(t, "POST", "/subscribe", contentType, strings.NewReader(body)); got.status != 422 && got.status != 400 {
			t.Errorf("%s: %d", contentType, got.status)
		}
	}
	if got := d.do(t, "POST", "/subscribe?address=ada@example.com", "", nil); got.status != 422 {
		t.Errorf("in the query: %d", got.status)
	}
	d.checkAsked(t)
	if got := d.do(t, "PUT", "/subscribe", "", nil); got.status != 405 || got.header.Get("Allow") != "POST" {
		t.Errorf("PUT: %d", got.status)
	}
	if got := d.do(t, "GET", "/subscribe", "", nil, func(r *http.Request) { r.Header.Set("Accept-Language", "pt") }); got.status != 303 || got.header.Get("Location") != "https://status.example/pt/#follow" {
		t.Errorf("looked at: %d %s", got.status, got.header.Get("Location"))
	}
}

// TestTrap: a program that fills in every field is answered as a person is.
func TestTrap(t *testing.T) {
	d := newDesk(t)
	person := d.fill(t, url.Values{"address": {"ada@example.com"}})
	d.checkAsked(t, Choice{Address: "ada@example.com", Language: "en"})
	for range 3 * int(perClient.most) { // it counts against nobody
		program := d.fill(t, url.Values{"address": {"ada@example.com"}, Trap: {"cheap pills"}})
		if program.status != person.status || program.body != person.body || !equal(person.header, program.header) {
			t.Fatalf("%+v, and a person gets %+v", program, person)
		}
	}
	d.checkAsked(t)
}

// TestNoMail: without mail there is nothing to ask for.
func TestNoMail(t *testing.T) {
	d := newDesk(t)
	d.handler.Ask = nil
	if got := d.fill(t, url.Values{"address": {"ada@example.com"}}); got.status != 404 {
		t.Errorf("subscribe: %d", got.status)
	}
	if got := d.do(t, "GET", d.link(choices[0], d.now.Add(time.Hour)), "", nil); got.status != 404 {
		t.Errorf("confirm: %d", got.status)
	}
}

// link is the path of a link in a mail.
func (d *desk) link(c Choice, expires time.Time) string {
	return "/confirm/" + links.Keys.seal(confirming, c.text(expires))
}

func TestConfirming(t *testing.T) {
	d := newDesk(t)
	c := Choice{Address: "ada@example.com", Language: "de", Storefronts: []string{"web"}, UntilReopen: true}
	link := d.link(c, d.now.Add(time.Hour))
	for range 3 { // mail scanners look at every link
		for _, method := range []string{"GET", "HEAD"} {
			got := d.do(t, method, link, "", nil)
			if got.status != 200 || got.header.Get("Content-Language") != "de" {
				t.Errorf("%s: %d %v", method, got.status, got.header)
			}
			if method == "GET" && (len(elements(t, got.body, "button")) != 1 || len(elements(t, got.body, "form")) != 1 || !strings.Contains(got.body, "Online &lt;shop&gt;")) {
				t.Errorf("no one button, or not what for:\n%s", got.body)
			}
		}
	}
	d.checkConfirmed(t)
	got := d.do(t, "POST", link, urlencoded, strings.NewReader(""))
	d.checkConfirmed(t, c)
	if got.status != 200 {
		t.Errorf("%d", got.status)
	}
	if want := d.handler.Links.Leave(c.Address, "de"); !strings.Contains(got.body, strings.ReplaceAll(want, "&", "&amp;")) {
		t.Errorf("no link to leave by:\n%s", got.body)
	}
	if got := d.do(t, "DELETE", link, "", nil); got.status != 405 {
		t.Errorf("DELETE: %d", got.status)
	}
}

// TestExpired: an old link, or one that has served, changes nothing and offers a
// new mail.
func TestExpired(t *testing.T) {
	d := newDesk(t)
	c := Choice{Address: "ada@example.com", Language: "en", Storefronts: []string{"web"}}
	old, served := d.link(c, d.now), d.link(c, d.now.Add(time.Hour))
	d.unasked = true
	for name, got := range map[string]answer{
		"looked at": d.do(t, "GET", old, "", nil),
		"pressed":   d.do(t, "POST", old, urlencoded, strings.NewReader("")),
		"served":    d.do(t, "POST", served, urlencoded, strings.NewReader("")),
	} {
		buttons := elements(t, got.body, "button")
		if got.status != 410 || len(buttons) != 1 || attr(buttons[0], "name") != "again" {
			t.Errorf("%s: %d\n%s", name, got.status, got.body)
		}
	}
	d.checkAsked(t)
	for _, link := range []string{old, served} {
		got := d.do(t, "POST", link, urlencoded, strings.NewReader("again=yes"))
		if got.status != 200 || !strings.Contains(got.body, voices()[0].Text("subscribe.asked.title")) {
			t.Errorf("again: %d\n%s", got.status, got.body)
		}
		d.checkAsked(t, c)
	}
	d.checkConfirmed(t)
}

func TestForgedConfirmations(t *testing.T) {
	d := newDesk(t)
	text := choices[0].text(d.now.Add(time.Hour))
	good := links.Keys.seal(confirming, text)
	for _, forged := range []string{"", good + "A", good[:len(good)-1], another.seal(confirming, text), links.Keys.seal(leaving, text), tokenOf("ada@example.com")} {
		for _, method := range []string{"GET", "POST"} {
			if got := d.do(t, method, "/confirm/"+forged, urlencoded, strings.NewReader("again=yes")); got.status != 404 || len(elements(t, got.body, "form")) > 0 {
				t.Errorf("%s %.40q: %d", method, forged, got.status)
			}
		}
	}
	d.checkConfirmed(t)
	d.checkAsked(t)
}

// TestTooMany: from one client, and then again after a while; others are not held
// up.
func TestTooMany(t *testing.T) {
	d := newDesk(t)
	d.handler.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	ask := func(from string) answer {
		return d.fill(t, url.Values{"address": {"ada@example.com"}}, func(r *http.Request) { r.Header.Set("X-Forwarded-For", from) })
	}
	for i := range int(perClient.most) {
		if got := ask("198.51.100.1"); got.status != 200 {
			t.Fatalf("request %d: %d", i+1, got.status)
		}
	}
	for range 10 {
		if got := ask("198.51.100.1"); got.status != 429 || got.header.Get("Retry-After") == "" {
			t.Errorf("one too many: %d %v", got.status, got.header)
		}
	}
	if got := ask("198.51.100.2"); got.status != 200 {
		t.Errorf("a neighbour: %d", got.status)
	}
	d.took()
	again := d.do(t, "POST", d.link(choices[0], d.now), urlencoded, strings.NewReader("again=yes"), func(r *http.Request) { r.Header.Set("X-Forwarded-For", "198.51.100.1") })
	if again.status != 429 {
		t.Errorf("a new mail for an old link: %d", again.status)
	}
	d.checkAsked(t)
	d.mu.Lock()
	d.now = d.now.Add(perClient.every)
	d.mu.Unlock()
	if got := ask("198.51.100.1"); got.status != 200 {
		t.Errorf("after a while: %d", got.status)
	}
	if log := d.logged(); strings.Count(log, "too many") != 1 {
		t.Errorf("the log:\n%s", log)
	}
}

// TestEnoughForAMailbox is silent: the answer is the same, and nothing comes of it.
func TestEnoughForAMailbox(t *testing.T) {
	d := newDesk(t)
	for i := range 2 * int(perMailbox.most) {
		if got := d.fill(t, url.Values{"address": {fmt.Sprintf("ada+%d@example.com", i)}}); got.status != 200 {
			t.Errorf("request %d: %d", i+1, got.status)
		}
	}
	if len(d.took()) != int(perMailbox.most) {
		t.Error("not as many as a mailbox may get")
	}
}

// TestStorefrontThatIsGone: a link from before confirms what there still is.
func TestStorefrontThatIsGone(t *testing.T) {
	d := newDesk(t)
	for gone, want := range map[string][]string{"moon": nil, "moon web": {"web"}} {
		d.do(t, "POST", d.link(Choice{Address: "ada@example.com", Language: "en", Storefronts: strings.Fields(gone)}, d.now.Add(time.Hour)), urlencoded, strings.NewReader("x=y"))
		d.checkConfirmed(t, Choice{Address: "ada@example.com", Language: "en", Storefronts: want})
		d.mu.Lock()
		d.confirmed = nil
		d.mu.Unlock()
	}
}

// TestNoRoom: whoever comes too much is asked to come again.
func TestNoRoom(t *testing.T) {
	d := newDesk(t)
	d.full = true
	if got := d.fill(t, url.Values{"address": {"ada@example.com"}}); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

// TestUnnamedProxy: all customers count as one, and the log says why.
func TestUnnamedProxy(t *testing.T) {
	d := newDesk(t)
	for i := range int(perClient.most) + 1 {
		d.fill(t, url.Values{"address": {"ada@example.com"}}, func(r *http.Request) { r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i)) })
	}
	if log := d.logged(); !strings.Contains(log, "trusted_proxies") || !strings.Contains(log, "from=127.0.0.1") {
		t.Errorf("the log:\n%s", log)
	}
}
