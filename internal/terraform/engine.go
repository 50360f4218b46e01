package terraform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/berthdev/berth"
)

// Engine is the terraform or tofu of this machine.
type Engine struct {
	Path    string `json:"path"`
	Version string `json:"version"` // 1.11.4
	Tofu    bool   `json:"tofu,omitempty"`
}

// minimum is the oldest minor version of 1 that works: `init -json` came with 1.9.
const minimum = 9

// versionWait is how long an engine may take to say its version.
const versionWait = 20 * time.Second

// Waits ends the sentence that there is no Terraform, for those who have builds.
const Waits = "builds wait until then"

// Find looks for an engine: at path, or when that is empty for terraform and
// then tofu on PATH. Without one of version 1.9 or later the error is
// Unavailable and names the cure.
func Find(ctx context.Context, path string) (Engine, error) {
	if path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return Engine{}, berth.Errorf(berth.Unavailable, "%q, which is set as the terraform to use, cannot be run (%v): correct the setting or leave it out to use the one on PATH", path, reason(err))
		}
		return ask(ctx, found)
	}
	for _, name := range []string{"terraform", "tofu"} {
		if found, err := exec.LookPath(name); err == nil {
			return ask(ctx, found)
		}
	}
	return Engine{}, berth.Errorf(berth.Unavailable, "neither terraform nor tofu is on PATH: install Terraform 1.%d or later, or OpenTofu, on this machine; "+Waits, minimum)
}

// reason leaves the path out of an error that names it already.
func reason(err error) error {
	if e := (*exec.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

var versionLine = regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v((\d+)\.(\d+)\.\d+\S*)`)

func ask(ctx context.Context, path string) (Engine, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Engine{}, fmt.Errorf("finding terraform: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, versionWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Env = []string{"PATH=" + searchPath, "HOME=" + os.TempDir(), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=" + os.DevNull}
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	m := versionLine.FindSubmatch(out)
	if m == nil {
		if err == nil {
			err = errors.New("its answer to `version` is not one of theirs")
		}
		return Engine{}, berth.Errorf(berth.Unavailable, "%s does not behave like terraform or tofu (%v): install Terraform 1.%d or later, or OpenTofu", path, err, minimum)
	}
	major, _ := strconv.Atoi(string(m[3]))
	minor, _ := strconv.Atoi(string(m[4]))
	e := Engine{Path: path, Version: string(m[2]), Tofu: string(m[1]) == "OpenTofu"}
	if major < 1 || major == 1 && minor < minimum {
		return e, berth.Errorf(berth.Unavailable, "%s is version %s, too old: install Terraform 1.%d or later, or OpenTofu", path, e.Version, minimum)
	}
	return e, nil
}
