package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// browserTime bounds one script.
const browserTime = 3 * time.Minute

// Browser runs a script of test/browser in a fresh, headless Chromium, with
// args as JSON, and decodes what it returns into result (nil: nothing is
// wanted). The script must succeed. Where node, Chromium or the script's
// libraries are not on the machine the test is skipped, aloud.
func Browser(t testing.TB, script string, args, result any) {
	t.Helper()
	dir := NeedBrowser(t)
	given, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), browserTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "run.mjs", filepath.Join(dir, script), string(given))
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("browser script %s: %v\n%s%s", script, err, errs.String(), out.String())
	}
	_, text, ok := strings.Cut(out.String(), "RESULT ")
	if !ok {
		t.Fatalf("browser script %s gave no result:\n%s%s", script, errs.String(), out.String())
	}
	if t.Logf("browser script %s: %s", script, strings.TrimSpace(text)); result == nil {
		return
	}
	if err := json.Unmarshal([]byte(text), result); err != nil {
		t.Fatalf("browser script %s: %v\n%s", script, err, text)
	}
}

// NeedBrowser skips the test, aloud, where no browser can be driven, and gives
// the directory of the scripts.
func NeedBrowser(t testing.TB) string {
	t.Helper()
	Need(t, "node")
	if bin := os.Getenv("BERTH_CHROMIUM"); bin == "" {
		Need(t, "chromium")
	}
	dir := filepath.Join(Root(), "test", "browser")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "playwright-core")); err != nil {
		t.Skip("SKIPPED: the browser's driver is not installed; run `npm ci` in test/browser")
	}
	return dir
}
