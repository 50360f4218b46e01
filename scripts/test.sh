#!/usr/bin/env bash
# Runs the tests and ends with what was skipped, so that a green run cannot hide
# what it did not look at.
#
#   scripts/test.sh [go test flags and packages]
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p test/results

if [ $# -eq 0 ]; then
	echo '==> vet, format'
	unformatted=$(gofmt -l $(git ls-files --cached --others --exclude-standard '*.go'))
	if [ -n "$unformatted" ]; then
		printf 'test: gofmt these:\n%s\n' "$unformatted"
		exit 1
	fi
	go vet ./... || exit 1
	if command -v docker >/dev/null && docker version >/dev/null 2>&1; then
		tools/build.sh docker || echo '==> the docker plugin could not be built; its tests will be skipped'
	fi
	echo '==> tests of the packages, with the race detector'
	# Those that take longest begin, so that none runs on alone at the end.
	long='/internal/(terraform|store|httpapi|runner)$'
	all=$(go list ./... | grep -v /test/)
	go test -race -json -timeout 20m $(grep -E "$long" <<<"$all") $(grep -Ev "$long" <<<"$all") >test/results/packages.json
	packages=$?
	# Ten times as fast without the detector, which has nothing to find there.
	go test -json -run TestWalkGrid ./internal/httpapi >>test/results/packages.json || packages=1
	go run ./scripts/summary test/results/packages.json
	echo '==> end to end, with real parts'
	# What mostly waits, for minutes to pass or for connections to be given up, does
	# so beside the others.
	waiting='^(TestStopsAndStartsByItself|TestKillsAtTheDeadline|TestAgentAwayAtTheDeadline|TestSessionsResume|TestActivity|TestBlockedWebsocketsAreShown)$'
	go test -json -timeout 25m -parallel 4 -run "$waiting" ./test/e2e >test/results/waiting.json &
	beside=$!
	go test -json -timeout 25m -skip "$waiting" ./test/... >test/results/e2e.json
	e2e=$?
	wait $beside || e2e=1
	cat test/results/waiting.json >>test/results/e2e.json
	go run ./scripts/summary test/results/e2e.json
	exit $((packages || e2e))
fi
exec go test "$@"
