package notices

import "time"

// Hasten has what was taken count as lost, and what did not work be given up,
// sooner; 0 is as usual.
func Hasten(s *Service, lease, giveUp time.Duration) {
	if lease > 0 {
		s.limits.lease = lease
	}
	if giveUp > 0 {
		s.limits.giveUp = giveUp
	}
}

// Pause is how long a try waits after so many.
func Pause(tries int) time.Duration { return usual.pause(tries) }
