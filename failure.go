package berth

// The words for why a build failed (Build.ErrorCode). What they mean for the
// next try, lifecycle.Transient says; docs/builds.md has the table for people.
const (
	FailedTerraform   = "terraform"   // Terraform or one of its plugins reported errors
	FailedPersistence = "persistence" // the plan would have ended something persistent
	FailedQuota       = "quota"       // the plan costs more than the owner may spend
	FailedInput       = "input"       // what the build needs is missing, and a person has to bring it
	FailedResult      = "result"      // what the template planned or made cannot be used
	FailedTimeout     = "timeout"     // it took longer than a build may
	FailedRunner      = "runner"      // the machine that ran it could not, or was shut down
	FailedLost        = "lost"        // what ran it died while Terraform may have been at work
	FailedAbandoned   = "abandoned"   // a person gave up on its runner
)
