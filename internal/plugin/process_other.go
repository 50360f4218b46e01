//go:build !linux

package plugin

import (
	"context"
	"errors"
	"time"
)

var errHost = errors.New("processes of workspaces run on Linux only; use a template that makes a container or a virtual machine")

func start(context.Context, command) (process, error)      { return process{}, errHost }
func (p process) alive() bool                              { return false }
func (p process) marked() []int                            { return nil }
func (p process) end(context.Context, time.Duration) error { return errHost }
func trimLog(string)                                       {}
func removeLog(string)                                     {}

// EndWorkspace kills all processes of a workspace. There are none here.
func EndWorkspace(context.Context, string) error { return nil }

// EndWarm ends the plugins of one directory, and what they started. There are
// none here.
func EndWarm(context.Context, string) error { return nil }
