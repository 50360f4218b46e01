package terraform

import (
	"encoding/json"
	"strconv"
)

// attributes are those of one object. Its methods give the zero value for what
// is missing, null or of another type: states are written by plugins of any
// version.
type attributes map[string]any

func (a attributes) text(name string) string {
	switch v := a[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func (a attributes) number(name string) int {
	switch v := a[name].(type) {
	case float64:
		return int(v)
	case string:
		n, _ := strconv.Atoi(v)
		return n
	}
	return 0
}

func (a attributes) yes(name string) bool {
	v, _ := a[name].(bool)
	return v
}

// blocks are the nested blocks, or a list or set of objects.
func (a attributes) blocks(name string) []attributes {
	list, _ := a[name].([]any)
	var found []attributes
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			found = append(found, m)
		}
	}
	return found
}

// texts is a map of strings.
func (a attributes) texts(name string) map[string]string {
	m, _ := a[name].(map[string]any)
	if len(m) == 0 {
		return nil
	}
	found := make(map[string]string, len(m))
	for k := range m {
		found[k] = attributes(m).text(k)
	}
	return found
}

// optional is a number that may be missing.
func (a attributes) optional(name string) *int {
	v, ok := a[name].(float64)
	if !ok {
		return nil
	}
	n := int(v)
	return &n
}

func (a *attributes) UnmarshalJSON(b []byte) error {
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*a = m
	return nil
}
