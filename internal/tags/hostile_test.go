package tags_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tags"
)

func TestHostileTagsEndSoon(t *testing.T) {
	t.Parallel()
	double := map[string]string{"a0": `"aaaaaaaaaaaaaaaa"`}
	for i := range 24 {
		double[fmt.Sprintf("a%d", i+1)] = fmt.Sprintf(`"${local.a%d}${local.a%d}"`, i, i)
	}
	const ten = "[1,2,3,4,5,6,7,8,9,0]"
	for name, test := range map[string]*berth.Tags{
		"doubling":    {Blocks: []string{`{ a = substr(local.a24, 0, 1) }`}, Locals: double},
		"wide format": {Blocks: []string{`{ a = substr(format("%199999999d", 1), 0, 1) }`}},
		"a number":    {Blocks: []string{`{ a = substr("${1e99999999}", 0, 1) }`}},
		"loops": {Blocks: []string{"{ a = substr(jsonencode([for a in " + ten + ": [for b in " + ten + ": [for c in " + ten + ": [for d in " + ten +
			": [for e in " + ten + ": [for f in " + ten + ": f]]]]]]), 0, 1) }"}},
		"an expression": {Blocks: []string{`{ a = can(regex("(?:abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz){1000}(?:abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz){1000}", "x")) ? "y" : "n" }`}},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			got, err := tags.Evaluate(test, tags.Given{})
			runtime.ReadMemStats(&after)
			if took, used := time.Since(start), (after.TotalAlloc-before.TotalAlloc)>>20; took > 5*time.Second || used > 200 {
				t.Errorf("%v and %d MB for %v, %v", took, used, got, err)
			}
		})
	}
}

func TestSecretsAreNoTags(t *testing.T) {
	t.Parallel()
	if got, err := tags.Evaluate(&berth.Tags{Blocks: []string{`{ a = sensitive("x") }`}}, tags.Given{}); err == nil {
		t.Errorf("%v: a workspace provider's tags are shown", got)
	}
}
