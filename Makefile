# What is done with this repository. The demo needs Go alone.

GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
BENCHED = $(sort $(dir $(shell grep -rl --include='*_test.go' '^func Benchmark' .)))

.PHONY: demo test race torture lint bench bench-mail validate audit pictures receivers chromium postgresql strace dkimpy openssh node

# A sample shop, a mailbox and the watcher, on this machine.
demo:
	@$(GO) build -o bin/backsoon ./cmd/backsoon && exec bin/backsoon demo

# Every test, the scripted demo among them.
test: chromium postgresql strace dkimpy openssh
	$(GO) vet ./...
	$(GO) test -timeout 7m ./...

# The same under the race detector, which needs gcc and a while.
race: chromium postgresql strace dkimpy openssh
	$(GO) test -race -timeout 40m ./...

# The long forms of what kills, starves and lies to the program; as root, and for hours.
torture: strace
	$(GO) test -timeout 6h -count 1 -v ./internal/torture -long

# What has to be clean before a commit.
lint:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt these files:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# One package after the other: they would slow each other down.
bench:
	$(GO) test -p 1 -timeout 60m -run '^$$' -bench . -skip BenchmarkMail $(BENCHED)

# 20,000 mails, in turns with postfix's own smtp-source.
bench-mail:
	@test -x /usr/sbin/smtp-sink || { test "$$(id -u)" = 0 && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postfix; } || \
		{ echo "This needs postfix's smtp-sink. As root, run: apt-get install postfix"; exit 1; }
	$(GO) test ./cmd/backsoon -run '^$$' -bench Mail -benchtime 1x -timeout 20m

# The pages, judged by axe-core, html-validate and Lighthouse: all clean, 100 of 100.
audit: chromium node validate internal/audit/node_modules/.package-lock.json
	$(GO) test -tags audit -count 1 -timeout 15m -v -run 'Views|Lighthouse|Faults' ./internal/audit

internal/audit/node_modules/.package-lock.json: internal/audit/package-lock.json
	cd internal/audit && npm ci --no-audit --no-fund && touch node_modules/.package-lock.json

# The pictures in docs/, always at the same moments of the same shop; they look best where fonts-liberation is installed.
pictures: chromium
	$(GO) test -tags pictures -count 1 -run Pictures ./internal/audit
	$(GO) test -tags pictures -count 1 -run TestPictureOfTheDemo ./cmd/backsoon

# The sample receivers in JavaScript and PHP, which need node and php.
receivers:
	$(GO) test -tags receivers ./docs/receivers

# Feeds, calendars and api/v2, as other people's programs read them: jing, Ruby, ical.js and a client of Statuspage, which
# need Java and node.
validate: node
	@command -v jing >/dev/null && ruby -e 'require "rss"' 2>/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -y -q --no-install-recommends jing ruby ruby-rss; } || \
		{ echo "This needs jing and Ruby's rss. As root, run: apt-get install jing ruby ruby-rss"; exit 1; }
	npm ci --prefix internal/site/testdata/validators --no-audit --no-fund
	npm ci --prefix internal/site/testdata/statuspage --silent --no-audit --no-fund
	$(GO) test -count 1 -tags validate -run 'Validators|AnotherCalendar|Client' ./internal/site

# Some tests look at the pages in a browser.
chromium:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -y -q --no-install-recommends chromium; } || \
		{ echo "The tests need Chromium. As root, run: apt-get install chromium"; exit 1; }

# The ledger is tested on both of its databases.
postgresql:
	@command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || \
		{ test "$$(id -u)" = 0 && apt-get update -q && apt-get install -y -q --no-install-recommends postgresql; } || \
		{ echo "The tests need a PostgreSQL server. As root, run: apt-get install postgresql"; exit 1; }

# Some tests kill the program at one system call or another, or have the call fail.
strace:
	@command -v strace >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -y -q --no-install-recommends strace; } || \
		{ echo "The tests need strace. As root, run: apt-get install strace"; exit 1; }

# Notices are signed by OpenSSH's own programs.
openssh:
	@command -v ssh-keygen >/dev/null && command -v ssh-agent >/dev/null && command -v gcc >/dev/null || \
		{ test "$$(id -u)" = 0 && apt-get update -q && apt-get install -y -q --no-install-recommends openssh-client gcc libc6-dev; } || \
		{ echo "The tests need ssh-keygen and ssh-agent, and gcc for a security key in software. As root, run: apt-get install openssh-client gcc libc6-dev"; exit 1; }

# Signatures in mails are judged by a second implementation, in Debian's own Python.
dkimpy:
	@/usr/bin/python3 -c 'import dkim, nacl' 2>/dev/null || \
		{ test "$$(id -u)" = 0 && apt-get update -q && apt-get install -y -q --no-install-recommends python3-dkim python3-nacl; } || \
		{ echo "The tests need dkimpy. As root, run: apt-get install python3-dkim python3-nacl"; exit 1; }

# The audit's checkers run in Node.js.
node:
	@command -v npm >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -y -q --no-install-recommends nodejs npm; } || \
		{ echo "The audit needs Node.js 18 or later, and npm. As root, run: apt-get install nodejs npm"; exit 1; }
