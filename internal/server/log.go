package server

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"syscall"

	"github.com/berthdev/berth"
)

// newLog writes to standard error.
func newLog(level, format string) (*slog.Logger, error) {
	var o slog.HandlerOptions
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); level != "" && err != nil {
		return nil, berth.Errorf(berth.Invalid, "--log-level %s: say debug, info, warn or error", level)
	}
	o.Level = l
	switch format {
	case "", "text":
		return slog.New(slog.NewTextHandler(os.Stderr, &o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, &o)), nil
	}
	return nil, berth.Errorf(berth.Invalid, "--log-format %s: say text or json", format)
}

func inUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

func denied(err error) bool { return errors.Is(err, fs.ErrPermission) }
