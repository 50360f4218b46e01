package terraform

import "context"

// Engine is the terraform or tofu of this machine.
type Engine struct {
	Path    string `json:"path"`
	Version string `json:"version"` // 1.11.4
	Tofu    bool   `json:"tofu,omitempty"`
}

// Find looks for an engine: at path, or when that is empty for terraform and
// then tofu on PATH. Without one of version 1.5 or later the error is
// Unavailable and names the cure.
func Find(ctx context.Context, path string) (Engine, error) { panic("not yet") }
