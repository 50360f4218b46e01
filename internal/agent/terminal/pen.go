package terminal

import "strings"

// Places in a pen.
const (
	bold = iota
	faint
	italic
	underline
	blink
	inverse
	hidden
	struck
	overline
	foreground
	background
	underlineColor
	penSize
)

// pen is how characters are drawn: for each attribute the parameters that turn
// it on, empty where it is off.
type pen [penSize]string

// sequence sets a terminal's pen.
func (p pen) sequence() string {
	parts := []string{"0"}
	for _, part := range p {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return "\x1b[" + strings.Join(parts, ";") + "m"
}

// maxColor bounds the text of one colour.
const maxColor = 40

// apply is SGR.
func (p *pen) apply(params []string) {
	if len(params) == 0 {
		params = []string{""}
	}
	for i := 0; i < len(params); i++ {
		n := atoi(params[i], 0)
		switch {
		case n == 38 || n == 48 || n == 58:
			place := map[int]int{38: foreground, 48: background, 58: underlineColor}[n]
			text, used := color(params[i:])
			if len(text) <= maxColor {
				p[place] = text
			}
			i += used - 1
		case n == 4 && strings.HasPrefix(params[i], "4:0"):
			p[underline] = ""
		default:
			p.attribute(n, params[i])
		}
	}
}

// color is the text of an extended colour, and how many parameters it takes.
func color(params []string) (text string, used int) {
	if strings.Contains(params[0], ":") || len(params) < 2 {
		return params[0], 1
	}
	used = 2
	switch atoi(params[1], 0) {
	case 5:
		used = 3
	case 2:
		used = 5
	}
	used = min(used, len(params))
	return strings.Join(params[:used], ";"), used
}

func (p *pen) attribute(n int, text string) {
	if len(text) > maxColor {
		return
	}
	places := map[int]int{1: bold, 2: faint, 3: italic, 4: underline, 21: underline, 5: blink, 6: blink, 7: inverse, 8: hidden, 9: struck, 53: overline}
	ends := map[int][]int{22: {bold, faint}, 23: {italic}, 24: {underline}, 25: {blink}, 27: {inverse}, 28: {hidden}, 29: {struck},
		55: {overline}, 39: {foreground}, 49: {background}, 59: {underlineColor}}
	place, known := places[n]
	switch {
	case n == 0:
		*p = pen{}
	case known:
		p[place] = text
	case n >= 30 && n <= 37, n >= 90 && n <= 97:
		p[foreground] = text
	case n >= 40 && n <= 47, n >= 100 && n <= 107:
		p[background] = text
	default:
		for _, place := range ends[n] {
			p[place] = ""
		}
	}
}
