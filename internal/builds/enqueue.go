package builds

import (
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Enqueue adds a pending build. It fills in the id unless there is one, the
// number, the time and, where it is missing, the class. A workspace that has an
// active build is conflict.
func (q *Queue) Enqueue(tx *store.Tx, b berth.Build) (berth.Build, error) {
	if (b.Transition == berth.Import) != (b.WorkspaceID == "") {
		return b, berth.Errorf(berth.Internal, "a build with transition %s of workspace %q", b.Transition, b.WorkspaceID)
	}
	if b.ID == "" {
		b.ID = berth.NewID[berth.Build]()
	}
	if b.Class == 0 {
		b.Class = class(b)
	}
	b.CreatedAt = tx.Now
	if b.WorkspaceID != "" {
		newest, err := tx.NewestBuild(b.WorkspaceID)
		switch {
		case errors.Is(err, berth.NotFound):
		case err != nil:
			return b, err
		case newest.Active():
			return b, berth.Errorf(berth.Conflict,
				"build %d of this workspace (%s) is %s: wait until it has ended, or cancel it", newest.Number, newest.Transition, newest.Status())
		}
		b.Number = newest.Number + 1
		tx.Wake(store.WorkspaceTopic(b.WorkspaceID))
	}
	if err := tx.InsertBuild(b); err != nil {
		return b, err
	}
	tx.Wake(store.QueueTopic(b.ProviderID))
	return b, nil
}

// class is the place in the queue that fits a build's reason.
func class(b berth.Build) berth.Class {
	switch {
	case b.Transition == berth.Import && b.LooksAt == "":
		return berth.ClassImport
	case b.Reason == berth.ReasonClaim:
		return berth.ClassClaim
	case b.Reason == berth.ReasonPrebuild:
		return berth.ClassRefill
	case b.Reason == berth.ReasonAutostart, b.Reason == berth.ReasonAutostop,
		b.Reason == berth.ReasonDormancy, b.Reason == berth.ReasonAutodelete:
		return berth.ClassScheduled
	}
	return berth.ClassPerson
}

// changed wakes everybody who looks at the build.
func changed(tx *store.Tx, b berth.Build) {
	tx.Wake(store.BuildTopic(b.ID))
	if on := b.On(); on != "" {
		tx.Wake(store.WorkspaceTopic(on))
	}
}
