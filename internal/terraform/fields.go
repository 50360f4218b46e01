package terraform

import (
	"encoding/json"
	"strconv"
)

// fields are the attributes of one object. Its methods give the zero value for what
// is missing, null or of another type: states are written by plugins of any
// version.
type fields map[string]any

func (a fields) text(name string) string {
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

func (a fields) number(name string) int {
	switch v := a[name].(type) {
	case float64:
		return int(v)
	case string:
		n, _ := strconv.Atoi(v)
		return n
	}
	return 0
}

func (a fields) yes(name string) bool {
	v, _ := a[name].(bool)
	return v
}

// null tells whether a value is known to be none.
func (a fields) null(name string) bool {
	v, there := a[name]
	return there && v == nil
}

// blocks are the nested blocks, or a list or set of objects.
func (a fields) blocks(name string) []fields {
	list, _ := a[name].([]any)
	var found []fields
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			found = append(found, m)
		}
	}
	return found
}

// texts is a map of strings.
func (a fields) texts(name string) map[string]string {
	m, _ := a[name].(map[string]any)
	if len(m) == 0 {
		return nil
	}
	found := make(map[string]string, len(m))
	for k := range m {
		found[k] = fields(m).text(k)
	}
	return found
}

// optional is a number that may be missing.
func (a fields) optional(name string) *int {
	v, ok := a[name].(float64)
	if !ok {
		return nil
	}
	n := int(v)
	return &n
}

func (a *fields) UnmarshalJSON(b []byte) error {
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*a = m
	return nil
}
