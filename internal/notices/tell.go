package notices

import (
	"errors"
	"maps"
	"slices"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Tell tells people of what happens in this transaction. What one of them was
// told before by the same Once they are not told again. It fills in the id, the
// person, the time, and, unless they are given, the words, which the kind makes
// of the data. Who is deleted or no person is not told.
func (s *Service) Tell(tx *store.Tx, n berth.Notice, to ...berth.UserID) error {
	k, ok := kindOf(n.Kind)
	if !ok {
		return berth.Errorf(berth.Internal, "there is no kind of notice %q", n.Kind)
	}
	n, err := s.about(&tx.Query, n)
	if err != nil {
		return err
	}
	to = slices.Sorted(slices.Values(to))
	for _, id := range slices.Compact(to) {
		u, err := tx.User(id)
		if errors.Is(err, berth.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if u.System || !u.DeletedAt.IsZero() {
			continue
		}
		if err := s.tell(tx, k, n, u); err != nil {
			return err
		}
	}
	return nil
}

// about adds to the data what the ids say, and where it can be looked at.
func (s *Service) about(q *store.Query, n berth.Notice) (berth.Notice, error) {
	data := maps.Clone(n.Data)
	if data == nil {
		data = map[string]string{}
	}
	add := func(name, value string) {
		if data[name] == "" && value != "" {
			data[name] = value
		}
	}
	delete(data, "link")
	if n.WorkspaceID != "" {
		w, err := q.Workspace(n.WorkspaceID)
		if err != nil {
			return n, err
		}
		owner, err := q.User(w.OwnerID)
		if err != nil {
			return n, err
		}
		delete(data, "workspace") // the name alone does not say whose
		add("workspace", owner.Username+"/"+w.Name)
		add("link", s.opt.AccessURL+"/@"+owner.Username+"/"+w.Name)
		if n.TemplateID == "" {
			n.TemplateID = w.TemplateID
		}
	}
	if n.TemplateID != "" {
		t, err := q.Template(n.TemplateID)
		if err != nil {
			return n, err
		}
		add("template", t.Name)
	}
	add("link", s.opt.AccessURL)
	n.Data = data
	return n, nil
}

// tell writes it down for one person, and has it sent on the ways that they
// want.
func (s *Service) tell(tx *store.Tx, k Kind, n berth.Notice, u berth.User) error {
	said, err := tx.NoticeSwitchesOf(u.ID, k.Name)
	if err != nil {
		return err
	}
	wants := func(way berth.Way) bool {
		for _, w := range said {
			if w.Way == way {
				return k.wanted(way, &w.Wanted)
			}
		}
		return k.wanted(way, nil)
	}
	n.ID, n.UserID, n.CreatedAt = berth.NewID[berth.Notice](), u.ID, tx.Now
	n.InInbox = wants(berth.WayInbox)
	var out []berth.Way
	for _, way := range s.ways() {
		if wants(way) && (k.Away || u.MaySignIn()) {
			out = append(out, way)
		}
	}
	if !n.InInbox && len(out) == 0 {
		return nil
	}
	title, body := k.say(words{data: n.Data, zone: zoneOf(u, s.opt.QuietHours)})
	if n.Title == "" {
		n.Title = title
	}
	if n.Body == "" {
		n.Body = body
	}
	n.Title, n.Body = line(n.Title), plain(n.Body)
	added, err := tx.InsertNotice(n)
	if err != nil || !added {
		return err
	}
	for _, way := range out {
		if err := tx.InsertDelivery(n.ID, way); err != nil {
			return err
		}
	}
	return nil
}
