package berth_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
)

func TestConfigAddress(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a.b": "a.b", "a.b[0]": "a.b", `a.b["x.y[0]\"]"]`: "a.b", `module.m["k"].module.n[1].a.b["z"]`: "module.m.module.n.a.b", "": "", "a.b[": "a.b", `a.b["`: "a.b",
	} {
		if got := berth.ConfigAddress(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		key, err := json.Marshal(rapid.String().Draw(t, "key"))
		if err != nil {
			t.Fatal(err)
		}
		if got := berth.ConfigAddress("module.m" + berth.InstanceKey(key) + ".a.b" + berth.InstanceKey(key)); got != "module.m.a.b" {
			t.Fatalf("a key of %s leaves %s", key, got)
		}
	})
}
