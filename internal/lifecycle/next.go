package lifecycle

import "time"

// Next is what is to be done with a workspace at now.
func Next(f Facts, now time.Time) Step { return Step{} }

// Deadline is what will stop a workspace that runs at now, as things are.
func Deadline(f Facts, now time.Time) StopPlan { return StopPlan{} }

// Forecast is what will happen by itself within a length of time from now if
// nobody does anything: at most 100 acts, the first one first.
func Forecast(f Facts, now time.Time, within time.Duration) []Coming { return nil }

// Check tells what is wrong with a step that somebody wants to take at now; nil
// if nothing is. It shares no code with Next.
func Check(f Facts, s Step, now time.Time) error { return nil }
