package server

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/berthdev/berth"
)

// setting is one field of Options that people set.
type setting struct {
	flag, value, doc string // value: when nothing is said
	index            int
}

// variable is the setting's name in the environment.
func (s setting) variable() string {
	return "BERTH_" + strings.ToUpper(strings.ReplaceAll(s.flag, "-", "_"))
}

// settings lists them in the order of the struct.
func settings() []setting {
	var all []setting
	t := reflect.TypeFor[Options]()
	for i := range t.NumField() {
		if flag := t.Field(i).Tag.Get("flag"); flag != "" {
			all = append(all, setting{flag, t.Field(i).Tag.Get("default"), t.Field(i).Tag.Get("doc"), i})
		}
	}
	return all
}

// bind gives o its defaults, then what the environment says, and makes a flag
// for each setting, which wins over both.
func (o *Options) bind(flags *pflag.FlagSet, getenv func(string) string) error {
	v := reflect.ValueOf(o).Elem()
	for _, s := range settings() {
		given := s.value
		if text := getenv(s.variable()); text != "" {
			given = text
		}
		about := fmt.Sprintf("%s [$%s]", s.doc, s.variable())
		switch field := v.Field(s.index).Addr().Interface().(type) {
		case *string:
			flags.StringVar(field, s.flag, given, about)
		case *[]string:
			var list []string
			if given != "" {
				list = strings.Split(given, separator(given))
			}
			flags.StringArrayVar(field, s.flag, list, about)
		case *int:
			n, err := strconv.Atoi(orZero(given))
			if err != nil {
				return berth.Errorf(berth.Invalid, "%s=%s is not a number", s.variable(), given)
			}
			flags.IntVar(field, s.flag, n, about)
		case *bool:
			b, err := strconv.ParseBool(orZero(given))
			if err != nil {
				return berth.Errorf(berth.Invalid, "%s=%s: say true or false", s.variable(), given)
			}
			flags.BoolVar(field, s.flag, b, about)
		case *time.Duration:
			d, err := time.ParseDuration(orZero(given))
			if err != nil {
				return berth.Errorf(berth.Invalid, "%s=%s is not a length of time, such as 24h or 30m", s.variable(), given)
			}
			flags.DurationVar(field, s.flag, d, about)
		default:
			panic("no flag can be made for the setting " + s.flag)
		}
	}
	return nil
}

// separator is what is between the values of a list in a variable. Addresses
// have colons in them.
func separator(list string) string {
	if strings.Contains(list, "://") || strings.Contains(list, ",") {
		return ","
	}
	return string(os.PathListSeparator)
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

// Reference is docs/config.md, made from the settings.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# Settings of the server

Made from the options of ` + "`berth server`" + ` by ` + "`make generate`" + `; a test fails when the two differ.
A flag wins over its variable, a variable over the default. There is no configuration file.

| flag | variable | default | what it is |
|---|---|---|---|
`)
	for _, s := range settings() {
		value := s.value
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s |\n", s.flag, s.variable(), value, strings.ReplaceAll(s.doc, "|", "\\|"))
	}
	b.WriteString(`
` + "`BERTH_BUNDLE_DIR`" + ` names a directory with ` + "`berth-agent-linux-amd64`, `berth-agent-linux-arm64` and `berth-plugin`" + ` for a
` + "`berth`" + ` that was built without them (` + "`go build`" + ` instead of ` + "`make build`" + `).
`)
	return b.String()
}
