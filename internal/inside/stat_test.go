package inside

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func TestAmounts(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]*amount{
		"0.5/4 cores (12%)":    {Used: 0.5, Total: 4, Unit: "cores"},
		"1.2/8 GiB (15%)":      {Used: 1.2 * (1 << 30), Total: 8 << 30, Unit: "B", prefix: gibi},
		"1536/2048 MiB (75%)":  {Used: 1.5 * (1 << 30), Total: 2 << 30, Unit: "B", prefix: mebi},
		"0/0 cores":            {Unit: "cores"},
		"-":                    nil,
		"2/1.5 cores (133%)":   {Used: 2, Total: 1.5, Unit: "cores"},
		"100/512 B (20%)":      {Used: 100, Total: 512, Unit: "B"},
		"1024/4096 KiB (25%)":  {Used: 1 << 20, Total: 4 << 20, Unit: "B", prefix: kibi},
		"0.5/1 TiB (50%)":      {Used: 1 << 39, Total: 1 << 40, Unit: "B", prefix: tebi},
		"0/3 cores (0%)":       {Used: 0.01, Total: 3, Unit: "cores"},
		"12.3/100.5 GiB (12%)": {Used: 12.34 * (1 << 30), Total: 100.5 * (1 << 30), Unit: "B", prefix: gibi},
	} {
		if got := a.String(); got != want {
			t.Errorf("%+v is shown as %q, want %q", a, got, want)
		}
	}
}

func stat1(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := statCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.Execute()
	return strings.TrimSuffix(out.String(), "\n"), err
}

// What templates call, on this computer.
func TestStat(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"cpu":                          `^[\d.]+/[\d.]+ cores \(\d+%\)$`,
		"cpu --host":                   `^[\d.]+/[\d.]+ cores \(\d+%\)$`,
		"mem":                          `^[\d.]+/[\d.]+ GiB \(\d+%\)$`,
		"mem --host --prefix Mi":       `^[\d.]+/[\d.]+ MiB \(\d+%\)$`,
		"disk --path / --prefix=ti":    `^[\d.]+/[\d.]+ TiB \(\d+%\)$`,
		"":                             `(?s)^HOST CPU.*\n[\d.]+/[\d.]+ cores`,
		"cpu --output json":            `^\{"total":[\d.]+,"unit":"cores","used":[\d.e-]+\}$`,
		"disk --path " + t.TempDir():   `GiB`,
		"mem --json":                   `^\{"total":\d+,"unit":"B","used":\d+\}$`,
		"disk --path / --output=text ": `GiB`,
	} {
		got, err := stat1(t, strings.Fields(args)...)
		if err != nil || !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("stat %s: %q, %v", args, got, err)
		}
	}
	text, err := stat1(t, "--json")
	var rows []map[string]*amount
	if json.Unmarshal([]byte(text), &rows) != nil || err != nil || len(rows) != 1 || rows[0]["host_cpu"].Total < 1 || rows[0]["home_disk"].Unit != "B" {
		t.Errorf("stat --json: %s, %v", text, err)
	}
	for _, args := range []string{"gpu", "mem --prefix Zi", "disk --path /nowhere", "cpu --output xml", "mem /"} {
		if got, err := stat1(t, strings.Fields(args)...); err == nil {
			t.Errorf("stat %s: %q", args, got)
		}
	}
}
