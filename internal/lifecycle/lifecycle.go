package lifecycle

import "time"

// Forecast is what will happen by itself within a length of time from now if
// nobody does anything: at most 100 acts, the first one first.
func Forecast(f Facts, now time.Time, within time.Duration) []Coming { return nil }

// Check tells what is wrong with a step that somebody wants to take at now; nil
// if nothing is. It shares no code with Next.
func Check(f Facts, s Step, now time.Time) error { return nil }
