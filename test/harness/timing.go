package harness

import "time"

// Build runs a verb (start, stop) on a workspace and gives how long its build
// took, in seconds, from when it was queued to when it was finished.
func (s *Server) Build(verb, workspace string) float64 {
	s.t.Helper()
	s.Berth(verb, workspace, "-y")
	var w struct {
		Build struct {
			CreatedAt   time.Time `json:"created_at"`
			CompletedAt time.Time `json:"completed_at"`
		}
	}
	s.JSON(&w, "show", workspace)
	return w.Build.CompletedAt.Sub(w.Build.CreatedAt).Seconds()
}
