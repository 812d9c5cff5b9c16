// Package audit judges the finished pages from outside, as browsers and
// independent checkers do: the real command builds a sample shop, a server
// serves it on loopback, and a browser reads it. All of it is tests.
package audit
