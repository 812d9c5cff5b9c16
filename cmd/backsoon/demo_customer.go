package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// customer orders in the demo's shop as a browser does.
type customer struct {
	shop string // with a trailing slash
	http *http.Client
}

func newCustomer(shop string) (customer, error) {
	jar, err := cookiejar.New(nil)
	return customer{shop, &http.Client{Jar: jar, Timeout: 5 * time.Second}}, err
}

// fill puts a book into the basket.
func (c customer) fill() error {
	_, err := read(c.http.PostForm(c.shop+"cart", nil))
	return err
}

// pay orders what is in the basket; a *refusedError says that the shop did not
// take it.
func (c customer) pay() error {
	page, err := read(c.http.PostForm(c.shop+"checkout", url.Values{"name": {"Ada"}}))
	if err == nil && !strings.Contains(page, "Thank you, Ada") {
		err = errors.New("the basket was empty")
	}
	return err
}

// refusedError is an answer other than 200.
type refusedError struct {
	path   string
	status int
	page   string
}

func (e *refusedError) Error() string { return fmt.Sprintf("%s is answered %d", e.path, e.status) }

// read gives the body of an answer of 200.
func read(resp *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = &refusedError{resp.Request.URL.Path, resp.StatusCode, string(body)}
	}
	return string(body), err
}
