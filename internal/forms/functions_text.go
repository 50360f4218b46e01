package forms

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/berthdev/berth/internal/parameters"
	"github.com/berthdev/berth/internal/source"
)

// patterns are the functions that match regular expressions. The budget pays for
// the work, of which neither the arguments nor the result tell anything.
func patterns(b *budget) map[string]function.Function {
	pays := func(all bool) func(args []cty.Value) int {
		return func(args []cty.Value) int {
			if _, err := b.compiled(args[0].AsString(), args[1].AsString(), all); errors.Is(err, errTooMuch) {
				return -1
			}
			return 0
		}
	}
	return map[string]function.Function{
		"regex": bounded(stdlib.RegexFunc, pays(false)), "regexall": bounded(stdlib.RegexAllFunc, pays(true)), "replace": replace(b),
	}
}

// compiled is a regular expression that is soon matched with text; with all, as
// often as it matches, each of which may read to the end.
func (b *budget) compiled(pattern, text string, all bool) (*regexp.Regexp, error) {
	form, effort, err := parameters.Pattern(pattern)
	if errors.Is(err, parameters.ErrPattern) {
		return nil, errTooMuch
	}
	if err != nil {
		return nil, err
	}
	work := b.work(effort, text)
	if all {
		work += work * len(text) / 4
	}
	if !b.take(work) {
		return nil, errTooMuch
	}
	return form, nil
}

// work is what it costs to compile a regular expression and match it once.
func (b *budget) work(effort int, text string) int {
	const perUnit = 256 // steps
	return effort * (len(text) + 64) / perUnit
}

func text(name string) function.Parameter { return function.Parameter{Name: name, Type: cty.String} }

// replace is that of terraform: a pattern between slashes is a regular expression.
func replace(b *budget) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{text("str"), text("substr"), text("replace")},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, from, to := args[0].AsString(), args[1].AsString(), args[2].AsString()
			if len(from) > 1 && from[0] == '/' && from[len(from)-1] == '/' {
				form, err := b.compiled(from[1:len(from)-1], s, true)
				if err != nil {
					return cty.NilVal, err
				}
				if (len(s)+1)*(len(to)+strings.Count(to, "$")*len(s)) > maxResult {
					return cty.NilVal, errTooMuch
				}
				return cty.StringVal(form.ReplaceAllString(s, to)), nil
			}
			if len(s)+strings.Count(s, from)*len(to) > maxResult {
				return cty.NilVal, errTooMuch
			}
			return cty.StringVal(strings.ReplaceAll(s, from, to)), nil
		},
	})
}

// texts is a function of two texts that is true or false.
func texts(is func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{text("str"), text("part")},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(is(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// of is a function of one text that gives another.
func of(f func(s string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{text("str")},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0].AsString())
			return cty.StringVal(s), err
		},
	})
}

func pathOf(f func(string) string) function.Function {
	return of(func(s string) (string, error) { return f(s), nil })
}

var (
	base64encode = of(func(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil })
	base64decode = of(func(s string) (string, error) {
		b, err := base64.StdEncoding.DecodeString(s)
		if err == nil && !utf8.Valid(b) {
			err = errors.New("what it holds is no text")
		}
		return string(b), err
	})
	urlencode = of(func(s string) (string, error) { return url.QueryEscape(s), nil })
)

func hashed(how string) function.Function {
	return of(func(s string) (string, error) {
		switch how {
		case "md5":
			sum := md5.Sum([]byte(s))
			return hex.EncodeToString(sum[:]), nil
		case "sha1":
			sum := sha1.Sum([]byte(s))
			return hex.EncodeToString(sum[:]), nil
		default:
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:]), nil
		}
	})
}

// length is that of terraform, which also takes texts.
var length = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowUnknown: true}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		switch v := args[0]; {
		case v.Type() == cty.DynamicPseudoType || !v.IsKnown():
			return cty.UnknownVal(cty.Number), nil
		case v.Type() == cty.String:
			return stdlib.Strlen(v)
		case v.CanIterateElements():
			return v.Length(), nil
		}
		return cty.NilVal, errors.New("give a text, a list, a set or a map")
	},
})

// finder gives small files of the template. dir is where they are read from by
// relative paths: the root.
func finder(files source.Files, dir string) func(name string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		name = path.Join(dir, name)
		if path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
			return nil, errors.New("the file is outside of the template")
		}
		data, ok := files[name]
		if !ok {
			return nil, fmt.Errorf("the template has no small file %s", name)
		}
		return data, nil
	}
}

// fileFunctions are file and fileexists.
func fileFunctions(find func(name string) ([]byte, error)) (file, exists function.Function) {
	file = of(func(name string) (string, error) {
		data, err := find(name)
		if err == nil && !utf8.Valid(data) {
			err = errors.New("it is no text")
		}
		return string(data), err
	})
	exists = function.New(&function.Spec{
		Params: []function.Parameter{text("path")}, Type: function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if _, err := find(args[0].AsString()); err != nil {
				return cty.UnknownVal(cty.Bool), nil // it may be one that is not kept
			}
			return cty.True, nil
		},
	})
	return file, exists
}
