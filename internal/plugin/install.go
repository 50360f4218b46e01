package plugin

import "io"

// Install lays out the plugins in an unpacked mirror, for terraform and for
// tofu. binary opens a bundled binary by its name, berth-plugin. What is there
// already stays untouched; each file appears whole or not at all.
func Install(mirror string, binary func(name string) (io.Reader, error)) error { panic("not yet") }
