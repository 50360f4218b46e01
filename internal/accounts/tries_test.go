package accounts

import (
	"fmt"
	"testing"
	"time"
)

// Who has used up their tries must not get new ones by making up names.
func TestAFloodForgetsNobodysTries(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, flood := range map[string]func(*tries, int){
		"names from one address": func(l *tries, i int) { _ = l.take(fmt.Sprintf("name%d", i), "203.0.113.1:1", now) },
		"names from many addresses": func(l *tries, i int) {
			_ = l.take(fmt.Sprintf("name%d", i), fmt.Sprintf("[2001:db8:%x:%x::1]:1", i>>16, i&0xffff), now)
		},
	} {
		l := newTries()
		for range int(perPerson.size) + 4 {
			_ = l.take("ada", "203.0.113.1:1", now)
		}
		for range int(perAccount.size) {
			_ = l.takeAccount("ada", now)
		}
		for i := range rememberedTries + 5000 {
			flood(l, i)
		}
		if l.take("ada", "203.0.113.1:1", now) == nil {
			t.Errorf("%s: the tries of a name from an address were forgotten", name)
		}
		if l.takeAccount("ada", now) == nil {
			t.Errorf("%s: the tries of an account were forgotten", name)
		}
		if len(l.levels) > rememberedTries {
			t.Errorf("%s: %d levels are remembered", name, len(l.levels))
		}
	}
}
