// Command summary reads the JSON output of go test and prints what a person
// wants of it: the output of what failed, what was skipped and why, the slowest
// tests, and a closing line with the counts.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type key struct{ pkg, test string }

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: summary FILE")
		os.Exit(2)
	}
	f, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer f.Close()

	output := map[key]*strings.Builder{}
	var passed, failed, skipped []key
	took := map[key]float64{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text()) // a build error is not JSON
			continue
		}
		k := key{strings.TrimPrefix(e.Package, "github.com/berthdev/berth"), e.Test}
		switch e.Action {
		case "output", "build-output":
			if output[k] == nil {
				output[k] = &strings.Builder{}
			}
			output[k].WriteString(e.Output)
		case "pass":
			passed = append(passed, k)
		case "fail":
			failed = append(failed, k)
		case "skip":
			skipped = append(skipped, k)
		}
		took[k] = e.Elapsed
	}

	for _, k := range failed {
		if b := output[k]; b != nil {
			fmt.Printf("--- FAIL %s %s\n%s", k.pkg, k.test, b)
		}
	}
	for k, b := range output {
		if k.pkg == "" && strings.Contains(b.String(), "error") {
			fmt.Print(b)
		}
	}
	tests := func(ks []key) (n int) {
		for _, k := range ks {
			if k.test != "" {
				n++
			}
		}
		return n
	}
	for _, k := range skipped {
		if k.test == "" {
			continue
		}
		fmt.Printf("--- SKIP %s %s: %s\n", k.pkg, k.test, reason(output[k]))
	}
	slices.SortFunc(passed, func(a, b key) int { return int(1000 * (took[b] - took[a])) })
	shown := 0
	for _, k := range passed {
		if k.test != "" && took[k] >= 5 && shown < 8 {
			fmt.Printf("    slow %s %s %v\n", k.pkg, k.test, time.Duration(took[k]*float64(time.Second)).Round(100*time.Millisecond))
			shown++
		}
	}
	broken := 0
	for _, k := range failed {
		if k.test == "" {
			broken++
			fmt.Printf("FAIL %s\n", k.pkg)
		}
	}
	fails := tests(failed)
	if fails == 0 {
		fails = broken
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", tests(passed), fails, tests(skipped))
}

// reason is the line of a skipped test's output that is not go test's own.
func reason(b *strings.Builder) string {
	if b == nil {
		return "no reason given"
	}
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			return line
		}
	}
	return "no reason given"
}
