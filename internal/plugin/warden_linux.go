package plugin

import (
	"context"

	"github.com/berthdev/berth/internal/warm"
)

// EndWarm ends the plugins of one directory, and what they started.
func EndWarm(ctx context.Context, name string) error {
	if !pathElement.MatchString(name) {
		return nil
	}
	mark := hasVariable(warm.Variable + "=" + name)
	return killAll(context.WithoutCancel(ctx), func(pid int) bool { return mark(pid) && !hasMark("")(pid) })
}
