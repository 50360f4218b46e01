package simulations

import (
	"flag"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // the year must be the same on a machine without zones

	"github.com/berthdev/berth/internal/store/storetest"
)

var (
	spaces = flag.Int("year.workspaces", 0, "how many workspaces live in TestYear; 0: 40, or 1000 with BERTH_SOAK")
	days   = flag.Int("year.days", 0, "for how many days; 0: 30, or 365 with BERTH_SOAK; a third of that on PostgreSQL")
	every  = flag.Duration("year.every", 0, "how often servers look for what is due; 0: each minute, or each 10 with BERTH_SOAK")
	often  = flag.Float64("year.often", 0, "how often people come, of what their habits say; 0: 1, or 0.2 with BERTH_SOAK")
	seed   = flag.Uint64("year.seed", 0, "what the world of TestYear is made from; 0: by chance")
)

// TestYear lets workspaces of many kinds live by their rules: with people who
// come and go, builds that fail, agents and providers that are away, settings
// that change and a server that is down for a day. Nothing may stop, sleep or be
// deleted that should not, and nothing may be forgotten.
func TestYear(t *testing.T) {
	size := size{workspaces: 40, days: 30, every: time.Minute, often: 1}
	if os.Getenv("BERTH_SOAK") != "" {
		size = calm
	}
	if *every > 0 {
		size.every = *every
	}
	if *often > 0 {
		size.often = *often
	}
	if *spaces > 0 {
		size.workspaces = *spaces
	}
	if *days > 0 {
		size.days = *days
	}
	if *seed == 0 {
		*seed = rand.Uint64N(1 << 32)
	}
	t.Logf("%d workspaces, %d days; again with -year.seed=%d", size.workspaces, size.days, *seed)
	storetest.URLs(t, func(t *testing.T, url string) {
		began := time.Now()
		var y *year
		defer func() { // also after a failure
			if y != nil {
				t.Logf("took %v: %s", time.Since(began).Round(10*time.Millisecond), y.told())
			}
		}()
		synctest.Test(t, func(t *testing.T) {
			size := size
			if *days == 0 && strings.HasPrefix(url, "postgres") { // each transaction is a walk to another process
				size.days /= 3
			}
			y = newYear(t, url, size, *seed)
			y.live()
		})
	})
}

// calm is the world of the soak: few enough visits for it to take minutes at most,
// and all the trouble.
var calm = size{workspaces: 1000, days: 365, every: 10 * time.Minute, often: 0.2}

// size is how much of a world.
type size struct {
	workspaces, days int
	every            time.Duration // how often its servers look for what is due
	often            float64       // people come so often, of what their habits say
}
