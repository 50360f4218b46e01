package accounts

import (
	"crypto/rand"
	"strings"
	"unicode"

	"github.com/berthdev/berth"
)

// checkPassword tells whether a new password is one that does not fall to the
// first guesses: long enough, not a common one, and not what everybody knows
// about its user. about is username, e-mail address and full name.
func (s *Service) checkPassword(field, password string, about ...string) error {
	if err := berth.ValidatePassword(field, password); err != nil {
		return err
	}
	if len(password) < s.opt.MinPasswordLength {
		return berth.InvalidField(field, "a password has at least %d characters on this site", s.opt.MinPasswordLength)
	}
	word := core(password)
	if common[word] || common[strings.ToLower(password)] || monotone(password) {
		return berth.InvalidField(field, "this password is among the first that anybody would try: choose one of several words that do not belong together")
	}
	for _, a := range about {
		local, _, _ := strings.Cut(a, "@")
		for _, known := range []string{a, local} {
			if k := core(known); len(k) > 2 && word == k {
				return berth.InvalidField(field, "the password is made of the name or the e-mail address of its user: choose another one")
			}
		}
	}
	return nil
}

// swaps are digits and signs that are written for letters.
var swaps = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// core is what is left of a password when the ways are undone in which people
// make a word longer: capitals, figures and signs around it and for letters, and
// saying it twice.
func core(password string) string {
	plain := func(r rune) bool { return !unicode.IsLetter(r) }
	word := strings.ToLower(strings.TrimFunc(password, plain))
	word = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, swaps.Replace(word))
	if half := len(word) / 2; half > 2 && len(word)%2 == 0 && word[:half] == word[half:] {
		word = word[:half]
	}
	return word
}

// monotone tells whether a password is one character again and again, or a run
// of the keyboard, the alphabet or the digits.
func monotone(password string) bool {
	lower := strings.ToLower(password)
	if strings.Trim(lower, lower[:1]) == "" {
		return true
	}
	for _, run := range []string{"abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiop", "qwertzuiop", "asdfghjkl", "1qaz2wsx3edc4rfv5tgb", "1q2w3e4r5t6y7u8i9o0p"} {
		if strings.Contains(run, lower) || strings.Contains(run, backwards(lower)) {
			return true
		}
	}
	return false
}

func backwards(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// generatePassword makes a password of at least n characters that can be read
// out loud: groups of letters and figures that are not mistaken for each other.
func generatePassword(n int) string {
	const letters = "abcdefghijkmnpqrstuvwxyz23456789" // 32: each byte chooses evenly
	b := make([]byte, max(20, n))
	rand.Read(b) // never fails
	var out strings.Builder
	for i, c := range b {
		if i > 0 && i%5 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(letters[c%32])
	}
	return out.String()
}
