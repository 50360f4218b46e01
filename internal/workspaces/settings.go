package workspaces

import (
	"fmt"
	"time"

	"github.com/berthdev/berth"
)

// Settings are what people say about the life of one workspace; what is nil
// stays as it is.
type Settings struct {
	Autostart        *string        // weekly schedule; empty: none
	TTL              *time.Duration // 0: never
	AutoOff          *time.Duration // 0: never
	AutoOffDefault   bool           // instead of AutoOff: as the organization says
	AutomaticUpdates *berth.Updates
}

// What people may say at least and at most of a time to live, and of how long a
// workspace may be unused: evidence of use is of the last minutes.
const (
	minTTL     = time.Minute
	minAutoOff = 5 * time.Minute
	maxTTL     = 30 * 24 * time.Hour
)

// Apply puts settings on a workspace of a template in an organization, and tells
// what changes. What these do not let people say is forbidden, unless it stays
// as it is.
func (s Settings) Apply(l *berth.Lifecycle, t berth.Template, o berth.Organization) (berth.Changes, error) {
	changes := berth.Changes{}
	for _, apply := range []func(*berth.Lifecycle, berth.Template, berth.Organization, berth.Changes) error{s.autostart, s.ttl, s.autoOff, s.updates} {
		if err := apply(l, t, o, changes); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

func (s Settings) autostart(l *berth.Lifecycle, t berth.Template, _ berth.Organization, changes berth.Changes) error {
	if s.Autostart == nil {
		return nil
	}
	text := ""
	if *s.Autostart != "" {
		schedule, err := berth.ParseSchedule("autostart", *s.Autostart)
		if err != nil {
			return err
		}
		text = schedule.String()
	}
	if text == l.Autostart {
		return nil
	}
	if why := AutostartFixed(t); text != "" && why != "" {
		return notYours("autostart", why)
	}
	changes.Set("autostart", l.Autostart, text)
	l.Autostart = text
	return nil
}

func (s Settings) ttl(l *berth.Lifecycle, t berth.Template, _ berth.Organization, changes berth.Changes) error {
	if s.TTL == nil || *s.TTL == l.TTL {
		return nil
	}
	if *s.TTL != 0 && (*s.TTL < minTTL || *s.TTL > maxTTL) {
		return berth.InvalidField("ttl_seconds", "a workspace is stopped 1 minute to 30 days after its start; 0 is never")
	}
	if why := TTLFixed(t); why != "" {
		return notYours("ttl_seconds", why)
	}
	changes.Set("ttl", l.TTL.String(), s.TTL.String())
	l.TTL = *s.TTL
	return nil
}

func (s Settings) autoOff(l *berth.Lifecycle, _ berth.Template, o berth.Organization, changes berth.Changes) error {
	switch {
	case s.AutoOff != nil && s.AutoOffDefault:
		return berth.InvalidField("auto_off_default", "give a length in auto_off_seconds, or auto_off_default for what the organization says, not both")
	case s.AutoOffDefault:
		changes.Set("auto_off", said(l.AutoOff), said(nil))
		l.AutoOff = nil
		return nil
	case s.AutoOff == nil || l.AutoOff != nil && *l.AutoOff == *s.AutoOff:
		return nil
	case *s.AutoOff != 0 && (*s.AutoOff < minAutoOff || *s.AutoOff > maxTTL):
		return berth.InvalidField("auto_off_seconds", "a workspace is stopped after 5 minutes to 30 days without use; 0 is never")
	}
	if why := AutoOffFixed(o); why != "" {
		return notYours("auto_off_seconds", why)
	}
	changes.Set("auto_off", said(l.AutoOff), said(s.AutoOff))
	l.AutoOff = s.AutoOff
	return nil
}

// said is a length as the record has it; nil is as the organization says.
func said(d *time.Duration) string {
	if d == nil {
		return "default"
	}
	return d.String()
}

func (s Settings) updates(l *berth.Lifecycle, _ berth.Template, _ berth.Organization, changes berth.Changes) error {
	if s.AutomaticUpdates == nil || *s.AutomaticUpdates == l.AutomaticUpdates {
		return nil
	}
	if *s.AutomaticUpdates != berth.UpdatesAlways && *s.AutomaticUpdates != berth.UpdatesNever {
		return berth.InvalidField("automatic_updates", "%q is not when a workspace takes new versions by itself: use always or never", *s.AutomaticUpdates)
	}
	changes.Set("automatic_updates", l.AutomaticUpdates, *s.AutomaticUpdates)
	l.AutomaticUpdates = *s.AutomaticUpdates
	return nil
}

// AutostartFixed is why people cannot give workspaces of a template a schedule;
// empty where they can.
func AutostartFixed(t berth.Template) string {
	if t.Policy.AllowUserAutostart {
		return ""
	}
	return fmt.Sprintf("the template %s does not let its workspaces start by a schedule: ask who manages it to allow that", t.Name)
}

// TTLFixed is why people cannot change the time to live of workspaces of a
// template.
func TTLFixed(t berth.Template) string {
	if t.Policy.AllowUserAutostop {
		return ""
	}
	return fmt.Sprintf("the template %s says itself when its workspaces stop: ask who manages it to let people say that", t.Name)
}

// AutoOffFixed is why people cannot change the auto-off of workspaces of an
// organization.
func AutoOffFixed(o berth.Organization) string {
	if o.AutoOffByUser {
		return ""
	}
	return fmt.Sprintf("the organization %s says itself after how long without use its workspaces stop: ask one of its owners to let people say that", o.Name)
}

func notYours(field, why string) error {
	return &berth.Error{Code: berth.Forbidden, Field: field, Message: why}
}
