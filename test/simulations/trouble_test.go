package simulations

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// makeTrouble plans all that goes wrong or changes without the workspaces' own
// people.
func (y *year) makeTrouble() {
	y.agenda.add(y.begin.Add(37*time.Minute), y.report)
	y.agenda.add(y.begin.Add(6*time.Hour), y.sweep)
	months := max(int(y.end.Sub(y.begin)/(30*day)), 1)
	for _, p := range y.places {
		for range months {
			p.away = append(p.away, y.someTime(time.Hour, 7*time.Hour))
			p.broke = append(p.broke, y.someTime(time.Hour, 6*time.Hour))
		}
	}
	for range months {
		for range 3 {
			y.agenda.add(y.someTime(0, 1).from, func() { y.edit(y.templates[y.rng.IntN(len(y.templates))]) })
		}
		for range len(y.templates) / 4 {
			y.agenda.add(y.someTime(0, 1).from, func() { y.newVersion(y.templates[y.rng.IntN(len(y.templates))]) })
		}
		y.agenda.add(y.someTime(0, 1).from, func() { y.editOrg(y.orgs[y.rng.IntN(len(y.orgs))]) })
	}
	for range max(months/4, 1) {
		y.agenda.add(y.someTime(0, 1).from, func() {
			y.down = time.Now().Add(26 * time.Hour)
			y.count["days without a server"]++
		})
		cut := y.someTime(time.Hour, 5*time.Hour) // of all agents at once
		y.agenda.add(cut.from, func() {
			for _, s := range y.spaces {
				s.away = append(s.away, span{time.Now(), cut.to})
			}
		})
	}
	for _, p := range y.people {
		if y.chance(0.1 * float64(months) / 12) {
			out := y.someTime(5*day, 60*day)
			y.agenda.add(out.from, func() { y.suspend(p, out.to) })
		}
	}
}

// someTime is a span of a length in the time that is lived.
func (y *year) someTime(least, most time.Duration) span {
	from := y.begin.Add(y.between(5*day, y.end.Sub(y.begin)))
	return span{from, from.Add(y.between(least, most+1))}
}

// troubled gives a workspace the troubles of its own life.
func (y *year) troubled(s *space) {
	if y.chance(0.15) {
		a := y.someTime(time.Hour, 40*time.Hour)
		y.agenda.add(a.from, func() { s.away = append(s.away, span{time.Now(), a.to}) })
	}
	if y.chance(0.03) {
		a := y.someTime(3*time.Hour, 3*day)
		y.agenda.add(a.from, func() { s.stubborn = a.to })
	}
}

func (y *year) suspend(p *person, until time.Time) {
	now := time.Now()
	p.suspended = append(p.suspended, span{now, until})
	set := func(status berth.UserStatus, at time.Time) {
		p.Status, p.SuspendedAt = status, at
		y.write(func(tx *store.Tx) error {
			if err := tx.UpdateUser(p.User); err != nil {
				return err
			}
			return tx.LookAgainOwned(p.ID)
		})
		y.look = true
	}
	set(berth.UserSuspended, now)
	y.count["suspended"]++
	if y.chance(0.7) {
		y.agenda.add(until, func() { set(berth.UserActive, time.Time{}) })
	} else {
		p.suspended[len(p.suspended)-1].to = y.end.Add(1000 * day)
	}
}

// edit changes what a template says, half of the time for what runs too.
func (y *year) edit(t *template) {
	p := t.Policy
	switch y.rng.IntN(6) {
	case 0:
		p.DefaultTTL = time.Duration(1+y.rng.IntN(24)) * time.Hour
	case 1:
		p.ActivityBump = time.Duration(y.rng.IntN(4)) * time.Hour
	case 2:
		p.AutostopDays = berth.Weekdays(y.rng.IntN(128))
	case 3:
		p.FailureTTL = time.Duration(y.rng.IntN(5)) * time.Hour
	case 4:
		p.DormancyThreshold = time.Duration(y.rng.IntN(4)) * 10 * day
		if p.DormancyThreshold == 0 {
			p.DormancyAutoDeletion = 0
		}
	case 5:
		p.AllowUserAutostart = !p.AllowUserAutostart
	}
	now, put, before := time.Now(), y.chance(0.5), t.Template
	t.Policy = p
	y.write(func(tx *store.Tx) error {
		if err := tx.SetTemplatePolicy(t.ID, p); err != nil {
			return err
		}
		return y.replicas[0].TemplateEdited(tx, before, t.Template, put)
	})
	if put {
		y.put(func(s *space) bool { return s.template == t }, func(s *space) { s.policy = p })
	}
	t.edits.set(now, p)
	y.look = true
	y.count["edits"]++
}

// put has an edit reach what runs already.
func (y *year) put(on func(*space) bool, edit func(*space)) {
	for _, s := range y.spaces {
		if s.up != nil && on(s) {
			edit(s)
			s.put = time.Now()
		}
	}
}

func (y *year) editOrg(o *org) {
	now, before := time.Now(), o.Organization
	switch y.rng.IntN(3) {
	case 0:
		o.AutoOff = time.Duration(y.rng.IntN(9)) * time.Hour
	case 1:
		o.AutostartDays = berth.Weekdays(y.rng.IntN(128))
	case 2:
		o.AutoOffByUser = !o.AutoOffByUser
	}
	put := y.chance(0.5)
	y.write(func(tx *store.Tx) error {
		if err := tx.UpdateOrganization(o.Organization); err != nil {
			return err
		}
		if err := tx.LookAgainOrganization(o.ID); err != nil {
			return err
		}
		return y.replicas[0].OrganizationEdited(tx, before, o.Organization, put)
	})
	if put {
		y.put(func(s *space) bool { return s.template.org == o }, func(s *space) { s.orgThen = o.Organization })
	}
	o.edits.set(now, o.Organization)
	y.look = true
	y.count["edits"]++
}
