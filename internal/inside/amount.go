package inside

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berthdev/berth"
)

// amount is how much of something is in use.
type amount struct {
	Total float64 `json:"total"`
	Unit  string  `json:"unit"`
	Used  float64 `json:"used"`

	prefix prefix // of the unit, as text
}

// String is "0.5/4 cores (12%)", "1.2/8 GiB (15%)", or "-" of nothing.
func (a *amount) String() string {
	if a == nil {
		return "-"
	}
	scale := a.prefix.scale()
	text := short(a.Used/scale) + "/" + short(a.Total/scale) + " " + string(a.prefix) + a.Unit
	if a.Total > 0 {
		text += fmt.Sprintf(" (%.0f%%)", a.Used/a.Total*100)
	}
	return text
}

// short is a number with one digit behind the point at most.
func short(n float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(n, 'f', 1, 64), ".0")
}

// prefix is a binary prefix of bytes.
type prefix string

const (
	kibi prefix = "Ki"
	mebi prefix = "Mi"
	gibi prefix = "Gi"
	tebi prefix = "Ti"
)

func (p prefix) scale() float64 {
	switch p {
	case kibi:
		return 1 << 10
	case mebi:
		return 1 << 20
	case gibi:
		return 1 << 30
	case tebi:
		return 1 << 40
	}
	return 1
}

// String, Set and Type make it a flag.
func (p *prefix) String() string { return string(*p) }

// Set takes what was given, without regard to case.
func (p *prefix) Set(given string) error {
	for _, known := range []prefix{kibi, mebi, gibi, tebi} {
		if strings.EqualFold(given, string(known)) {
			*p = known
			return nil
		}
	}
	return berth.Errorf(berth.Invalid, "give Ki, Mi, Gi or Ti")
}

// Type is the word for it in help.
func (p *prefix) Type() string { return "prefix" }
