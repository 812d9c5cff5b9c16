// Package audit judges the finished pages from outside, as browsers and
// independent checkers do: the real command builds a sample shop, a server
// serves it on loopback, and a browser reads it. All of it is tests: those of
// `make test` need Chromium alone; `make audit` adds the checkers that package.json
// pins (axe-core, html-validate, Lighthouse); `make pictures` shows the pages in
// docs/pictures.
package audit
