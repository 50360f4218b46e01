package lifecycle

import "github.com/berthdev/berth"

// Tries is which try for its purpose the build of a step is: 1 is the first.
func Tries(f Facts, s Step) int {
	b, again := f.Build, false
	switch s.Do {
	case Start:
		again = startAgain(f, s.Due).Equal(s.Due) && !s.Due.IsZero()
	case Stop:
		again = b.Transition == berth.Stop && b.Status() == berth.BuildFailed
	case Delete:
		again = b.Transition == berth.Delete && b.Status() == berth.BuildFailed && b.Reason == berth.ReasonAutodelete
	}
	if again {
		return tries(b) + 1
	}
	return 1
}
