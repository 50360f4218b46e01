package builds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// maxState is how many bytes a Terraform state may have.
const maxState = 64 << 20

// State keeps one revision of the state that the caller's taking wrote. From a
// taking that is over it is kept aside, and the answer is conflict.
func (q *Queue) State(ctx context.Context, c Call, lineage string, serial int64, state []byte) error {
	var stale error
	err := q.db.Write(ctx, func(tx *store.Tx) error {
		stale = nil
		b, err := c.build(&tx.Query)
		if err != nil {
			return err
		}
		if b.WorkspaceID == "" {
			return berth.Errorf(berth.Invalid, "an import has no state")
		}
		if !c.holds(b) {
			stale = c.stale()
		}
		return q.keepState(tx, b, c, lineage, serial, state)
	})
	if err == nil {
		err = stale
	}
	return err
}

// place is what becomes of a revision.
type place int

const (
	known   place = iota // it is there already
	current              // it is the state from now on
	aside                // it is kept, but nothing builds on it
)

// placeOf decides it. now is the current revision, nil if there is none; held
// tells whether r's taking is the present one.
func placeOf(now *berth.StateRevision, r berth.StateRevision, held bool) place {
	switch {
	case now == nil && held:
		return current
	case now == nil:
		return aside
	case now.Lineage == r.Lineage && now.Serial == r.Serial && now.BuildID == r.BuildID && now.Attempt == r.Attempt:
		return known // sent twice
	case !held, now.Lineage != r.Lineage:
		return aside
	case r.Serial > now.Serial:
		return current
	case r.Serial == now.Serial:
		return known // Terraform counts on with every change
	default:
		return aside
	}
}

// keepState stores a revision that the call brought. What an orphan delete
// writes is not kept: it began from nothing, and the state of before is what
// tells what was left alone.
func (q *Queue) keepState(tx *store.Tx, b berth.Build, c Call, lineage string, serial int64, state []byte) error {
	if len(state) == 0 || b.Orphan || b.WorkspaceID == "" {
		return nil
	}
	if len(state) > maxState {
		return berth.Errorf(berth.Limit, "a Terraform state may have at most %d MiB: split the template", maxState>>20)
	}
	if c.Attempt < 1 || c.Attempt > b.Attempt {
		return c.stale() // of a taking that never was
	}
	r := berth.StateRevision{WorkspaceID: b.WorkspaceID, BuildID: b.ID, Attempt: c.Attempt,
		Lineage: lineage, Serial: serial, Size: len(state)}
	var now *berth.StateRevision
	found, _, err := tx.CurrentState(b.WorkspaceID)
	switch {
	case err == nil:
		now = &found
	case !errors.Is(err, berth.NotFound):
		return err
	}
	switch placeOf(now, r, c.holds(b)) {
	case known:
		return nil
	case current:
		r.Current = true
	case aside:
		if there, err := tx.HasStateAside(r); there || err != nil {
			return err
		}
	}
	return q.storeState(tx, r, state)
}

func (q *Queue) storeState(tx *store.Tx, r berth.StateRevision, state []byte) error {
	sealed, err := q.sealState(r.WorkspaceID, state)
	if err != nil {
		return err
	}
	_, err = tx.InsertState(r, sealed, q.opt.Revisions)
	return err
}

// States shrink to about a tenth.
var (
	packer      = newPacker()
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*maxState))
)

// newPacker makes the packer ready, which it would else be at its first use: that
// may be in a test's bubble, and the packer of no use outside of it.
func newPacker() *zstd.Encoder {
	p, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		panic(err) // the options are constants
	}
	p.EncodeAll([]byte{0}, nil)
	return p
}

// StateBound binds a sealed state to its workspace.
func StateBound(ws berth.WorkspaceID) []byte { return []byte("state of workspace " + ws) }

func (q *Queue) sealState(ws berth.WorkspaceID, state []byte) ([]byte, error) {
	return q.keys.Seal(packer.EncodeAll(state, nil), StateBound(ws))
}

func (q *Queue) openState(ws berth.WorkspaceID, sealed []byte) ([]byte, error) {
	packed, err := q.keys.Open(sealed, StateBound(ws))
	if err != nil {
		return nil, fmt.Errorf("the state of workspace %s: %w", ws, err)
	}
	state, err := unpacker.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("the state of workspace %s: %w", ws, err)
	}
	return state, nil
}

// CurrentState is the state of a workspace; nil: there is none.
func (q *Queue) CurrentState(query *store.Query, ws berth.WorkspaceID) ([]byte, error) {
	_, sealed, err := query.CurrentState(ws)
	if errors.Is(err, berth.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return q.openState(ws, sealed)
}

// RevisionState is the state of one kept revision.
func (q *Queue) RevisionState(query *store.Query, ws berth.WorkspaceID, revision int64) ([]byte, error) {
	_, sealed, err := query.State(ws, revision)
	if err != nil {
		return nil, err
	}
	return q.openState(ws, sealed)
}

// FormerState is a kept revision as it would follow the current one: with its
// lineage and the next serial.
func (q *Queue) FormerState(query *store.Query, ws berth.WorkspaceID, revision int64) ([]byte, error) {
	now, _, err := query.CurrentState(ws)
	if err != nil && !errors.Is(err, berth.NotFound) {
		return nil, err
	}
	if err == nil && now.ID == revision {
		return nil, berth.InvalidField("revision", "revision %d is the current state already", revision)
	}
	raw, err := q.RevisionState(query, ws, revision)
	if errors.Is(err, berth.NotFound) {
		return nil, berth.InvalidField("revision", "there is no revision %d of this state, or it is not kept any more: berth state versions lists those that are", revision)
	}
	if err != nil || now.ID == 0 {
		return raw, err
	}
	var state map[string]json.RawMessage
	if err := json.Unmarshal(raw, &state); err != nil {
		return nil, fmt.Errorf("reading revision %d of the state: %w", revision, err)
	}
	lineage, err := json.Marshal(now.Lineage)
	if err != nil {
		return nil, err
	}
	state["lineage"], state["serial"] = lineage, fmt.Appendf(nil, "%d", now.Serial+1)
	return json.Marshal(state)
}

// PushState makes raw, which a person gave, the state of a workspace. It has the
// lineage of the current one and a higher serial, and no build is active.
func (q *Queue) PushState(tx *store.Tx, ws berth.WorkspaceID, by berth.UserID, raw []byte) (berth.StateRevision, error) {
	r := berth.StateRevision{WorkspaceID: ws, CreatedBy: by, Current: true, Size: len(raw)}
	var head struct {
		Version int    `json:"version"`
		Lineage string `json:"lineage"`
		Serial  int64  `json:"serial"`
	}
	if err := json.Unmarshal(raw, &head); err != nil || head.Version != 4 || head.Lineage == "" {
		return r, berth.Errorf(berth.Invalid, "this is not a Terraform state of version 4: give the file that `berth state pull` wrote, as you changed it")
	}
	if len(raw) > maxState {
		return r, berth.Errorf(berth.Limit, "a Terraform state may have at most %d MiB", maxState>>20)
	}
	switch b, err := tx.ActiveBuild(ws); {
	case err == nil:
		return r, berth.Errorf(berth.Conflict, "build %d of this workspace is %s: wait until it has ended, then pull the state again", b.Number, b.Status())
	case !errors.Is(err, berth.NotFound):
		return r, err
	}
	r.Lineage, r.Serial = head.Lineage, head.Serial
	switch now, _, err := tx.CurrentState(ws); {
	case errors.Is(err, berth.NotFound):
	case err != nil:
		return r, err
	case now.Lineage != r.Lineage:
		return r, berth.Errorf(berth.Conflict, "this state has the lineage %s and the workspace's has %s: it belongs to something else", r.Lineage, now.Lineage)
	case r.Serial <= now.Serial:
		return r, berth.Errorf(berth.Conflict, "this state has the serial %d and the workspace's has %d: pull the newest one, or set the serial to %d if you mean to replace it",
			r.Serial, now.Serial, now.Serial+1)
	}
	sealed, err := q.sealState(ws, raw)
	if err != nil {
		return r, err
	}
	tx.Wake(store.WorkspaceTopic(ws))
	return tx.InsertState(r, sealed, q.opt.Revisions)
}
