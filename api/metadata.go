package api

import "time"

// MetadataValue is what a script of an agent's metadata last printed.
type MetadataValue struct {
	Key         string    `json:"key"`
	DisplayName string    `json:"display_name,omitempty"`
	Value       string    `json:"value" doc:"At most 2 KiB"`
	Error       string    `json:"error,omitempty" doc:"Why there is no newer value, in a sentence"`
	CollectedAt time.Time `json:"collected_at"`
}

// MetadataEvent is what a watcher of metadata is told: values that are new, or
// why there are none for now.
type MetadataEvent struct {
	Values []MetadataValue `json:"values,omitempty" doc:"All that there are at first, then those that came"`
	Items  int             `json:"items" doc:"How many the agent collects"`
	Away   string          `json:"away,omitempty" doc:"Why nothing comes from the agent, in a sentence; it is tried again"`
}
