package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// answers are what a person gives to a version's questions on the command line.
type answers struct {
	given    []string
	file     string
	defaults []string
	once     []string
}

func (p *answers) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&p.given, "parameter", nil, "answer a question of the template, as `name=value`; may be repeated. A list is JSON, as a whole in CSV quotes where needed: '\"tags=[\"\"a\"\",\"\"b\"\"]\"'")
	cmd.Flags().StringVar(&p.file, "parameter-file", "", "answers from a YAML or JSON `file`: a map, or a list of {name, value}")
	cmd.Flags().StringArrayVar(&p.defaults, "parameter-default", nil, "propose `name=value` instead of the template's default; taken where nobody is asked, if the template asks it. May be repeated")
}

// onceFlag is for commands that start a workspace which is there.
func (p *answers) onceFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&p.once, "ephemeral-parameter", nil, "answer a question for this start only, as `name=value`; may be repeated")
}

// any tells whether something was answered.
func (p *answers) any() bool { return len(p.given) > 0 || p.file != "" || len(p.once) > 0 }

// values joins file and flags; flags win.
func (p *answers) values() (map[string]string, error) {
	all, err := answersFile("--parameter-file", p.file)
	if err != nil {
		return nil, err
	}
	flags, err := pairs("--parameter", p.given)
	if err != nil {
		return nil, err
	}
	maps.Copy(all, flags)
	return all, nil
}

// answersFile reads the file that a flag names; nothing where it names none.
func answersFile(flag, file string) (map[string]string, error) {
	if file == "" {
		return map[string]string{}, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, usagef("%s: %v", flag, err)
	}
	all, err := parseAnswers(b)
	if err != nil {
		return nil, usagef("%s %s: %v", flag, file, err)
	}
	return all, nil
}

// others are the proposals, and what is answered for one start.
func (p *answers) others() (offers, once map[string]string, err error) {
	if offers, err = pairs("--parameter-default", p.defaults); err == nil {
		once, err = pairs("--ephemeral-parameter", p.once)
	}
	return offers, once, err
}

// pairs reads name=value flags. One that begins with a quote is read as CSV,
// where it may hold several.
func pairs(flag string, given []string) (map[string]string, error) {
	all := map[string]string{}
	for _, g := range given {
		items := []string{g}
		if strings.HasPrefix(g, `"`) {
			var err error
			if items, err = csv.NewReader(strings.NewReader(g)).Read(); err != nil {
				return nil, usagef("%s %s: the quotes do not match; write \"name=[\"\"a\"\",\"\"b\"\"]\"", flag, g)
			}
		}
		for _, item := range items {
			name, value, found := strings.Cut(item, "=")
			if !found || name == "" {
				return nil, usagef("%s %q: give it as name=value", flag, item)
			}
			if _, twice := all[name]; twice {
				return nil, usagef("%s: %s is given twice", flag, name)
			}
			all[name] = value
		}
	}
	return all, nil
}

// parseAnswers reads a YAML map of names to values, or a list of {name, value}.
func parseAnswers(b []byte) (map[string]string, error) {
	var doc any
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, err
	}
	all := map[string]string{}
	put := func(name string, value any) error {
		text, err := answerText(value)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, twice := all[name]; twice {
			return fmt.Errorf("%s is given twice", name)
		}
		all[name] = text
		return nil
	}
	switch doc := doc.(type) {
	case nil:
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(doc)) {
			if err := put(name, doc[name]); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, item := range doc {
			m, _ := item.(map[string]any)
			name, _ := m["name"].(string)
			value, found := m["value"]
			if name == "" || !found || len(m) != 2 {
				return nil, fmt.Errorf("item %d: give name and value, and nothing else", i+1)
			}
			if err := put(name, value); err != nil {
				return nil, err
			}
		}
	default:
		return nil, fmt.Errorf("it holds neither a map of names to values nor a list of name and value")
	}
	return all, nil
}

// answerText is a YAML value as answers are kept: text, and JSON for lists.
func answerText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case uint64:
		return strconv.FormatUint(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case []any:
		list := make([]string, len(v))
		for i, e := range v {
			s, err := answerText(e)
			if _, deeper := e.([]any); deeper || err != nil {
				return "", fmt.Errorf("a list holds plain values only")
			}
			list[i] = s
		}
		b, err := json.Marshal(list)
		return string(b), err
	default:
		return "", fmt.Errorf("give text, a number, true, false or a list of texts")
	}
}
