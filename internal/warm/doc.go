// Package warm keeps plugin processes between builds, so that a build does not
// wait for them to start.
//
// It decides nothing about which version may use them: internal/terraform does,
// at import.
package warm
