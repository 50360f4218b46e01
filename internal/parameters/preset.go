package parameters

import (
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// NoPreset is asked for by somebody who wants no preset, not even the default.
const NoPreset = "none"

// ChoosePreset finds the preset that is asked for by name, compared without
// case. Empty means the default preset where there is one, when the workspace
// is new; an existing workspace keeps its answers instead. The zero Preset means none.
func ChoosePreset(presets []berth.Preset, name string, isNew bool) (berth.Preset, error) {
	if strings.EqualFold(name, NoPreset) {
		return berth.Preset{}, nil
	}
	for _, p := range presets {
		if name == "" && p.Default && isNew || name != "" && strings.EqualFold(p.Name, name) {
			return p, nil
		}
	}
	if name == "" {
		return berth.Preset{}, nil
	}
	if len(presets) == 0 {
		return berth.Preset{}, berth.InvalidField("preset", "this version of the template has no presets; leave it out")
	}
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = p.Name
	}
	slices.Sort(names)
	return berth.Preset{}, berth.InvalidField("preset", "there is no preset %q; there are: %s", name, strings.Join(names, ", "))
}
