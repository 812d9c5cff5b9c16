# What is done with this repository. The demo needs Go alone.

GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
BENCHED = $(sort $(dir $(shell grep -rl --include='*_test.go' '^func Benchmark' .)))

.PHONY: demo test lint bench validate receivers chromium

# A sample shop, a mailbox and the watcher, on this machine.
demo:
	@$(GO) build -o bin/backsoon ./cmd/backsoon && exec bin/backsoon demo

# Every test, the scripted demo among them.
test: chromium
	$(GO) vet ./...
	$(GO) test -timeout 7m ./...

# What has to be clean before a commit.
lint:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt these files:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# One package after the other: they would slow each other down.
bench:
	$(GO) test -p 1 -run '^$$' -bench . $(BENCHED)

# What we publish, read by other people's programs, which need node and npm.
validate:
	npm ci --prefix internal/site/testdata/statuspage --silent --no-audit --no-fund
	$(GO) test -tags validate -run Client ./internal/site

# The sample receivers in JavaScript and PHP, which need node and php.
receivers:
	$(GO) test -tags receivers ./docs/receivers

# Some tests look at the pages in a browser.
chromium:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -y -q --no-install-recommends chromium; } || \
		{ echo "The tests need Chromium. As root, run: apt-get install chromium"; exit 1; }
