package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/terraform"
)

// The test binary is also the keeper, the runner and the Terraform of these
// tests: each in a process of its own, as in life.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "keeper":
			hang = 2 * time.Second
			os.Exit(keeperMain(os.Args[2:], scripted{}))
		case "runner":
			os.Exit(runnerMain(os.Args[2]))
		case "terraform":
			os.Exit(terraformMain(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

// processOptions are what a runner in a process of its own is told.
type processOptions struct {
	URL, Dir, Work string
	Slots          int
}

func runnerMain(text string) int {
	var p processOptions
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	c, err := client.New(p.URL, "token", client.WithRetry(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	r, err := New(Options{Client: c, Dir: p.Dir, Work: p.Work, Slots: p.Slots, MinFree: -1, Grace: 5 * time.Second,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	quick(r)
	if err := r.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// quick makes a runner's times fit for tests, and lets it believe in a Terraform.
func quick(r *Runner) {
	r.beat, r.wait, r.recheck = 50*time.Millisecond, time.Second, 50*time.Millisecond
	r.locate = func(context.Context, string) (terraform.Engine, error) {
		self, err := os.Executable()
		return terraform.Engine{Path: self, Version: "1.11.4"}, err
	}
}

// terraformMain stands for a Terraform in the middle of an apply: it makes a
// resource every few milliseconds, and saves its state when it is interrupted once.
func terraformMain(dir string) int {
	interrupted := make(chan os.Signal, 2)
	signal.Notify(interrupted, os.Interrupt)
	serial := int64(10)
	save := func() {
		serial++
		path := filepath.Join(dir, "terraform.tfstate")
		if err := os.WriteFile(path+".tmp", state(serial), 0o600); err != nil {
			os.Exit(1)
		}
		os.Rename(path+".tmp", path)
	}
	for {
		select {
		case <-interrupted:
			select {
			case <-interrupted:
				return 1 // as Terraform: a second interrupt costs the state
			case <-time.After(200 * time.Millisecond): // finishing the running change
			}
			save()
			os.WriteFile(filepath.Join(dir, "graceful"), []byte(strconv.FormatInt(serial, 10)), 0o600)
			return 0
		case <-time.After(20 * time.Millisecond):
			save()
		}
	}
}

// state is a Terraform state of this serial without resources.
func state(serial int64) []byte {
	return fmt.Appendf(nil, `{"version":4,"terraform_version":"1.11.4","serial":%d,"lineage":"lineage-of-tests","outputs":{},"resources":[],"check_results":null}`, serial)
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
