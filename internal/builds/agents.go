package builds

import (
	"crypto/sha256"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// maxAgents is how many agents a workspace may have.
const maxAgents = 100

// replaceAgents makes the agents of a workspace those that its build left.
//
// A start brings those that it found, also when it failed after it had changed
// something. An agent that was there already keeps what it reported: since every
// stop that succeeds removes agents, the workspace was not stopped in between. A
// stop or delete that failed leaves them: they may be running.
func replaceAgents(tx *store.Tx, b berth.Build, r Report) error {
	succeeded := b.Status() == berth.BuildSucceeded
	if err := KeepTimings(tx, b.WorkspaceID); err != nil {
		return err
	}
	switch {
	case (b.Transition == berth.Stop || b.Transition == berth.Delete) && succeeded:
		return tx.RemoveAgents(b.WorkspaceID, nil)
	case b.Transition == berth.Start && (succeeded || len(r.State) > 0):
		return putAgents(tx, b, r.Agents)
	}
	return nil
}

func putAgents(tx *store.Tx, b berth.Build, found []FoundAgent) error {
	if err := checkAgents(found); err != nil {
		return err
	}
	keep := make([]berth.AgentID, len(found))
	for i, a := range found {
		keep[i] = a.ID
	}
	if err := tx.RemoveAgents(b.WorkspaceID, keep); err != nil {
		return err
	}
	if err := tx.FreeAgentNames(b.WorkspaceID); err != nil {
		return err
	}
	for _, a := range found {
		hash := sha256.Sum256([]byte(a.Token))
		if err := tx.PutAgent(berth.Agent{ID: a.ID, BuildID: b.ID, WorkspaceID: b.WorkspaceID, OrganizationID: b.OrganizationID,
			ProviderID: b.ProviderID, TokenHash: hash[:], AgentSpec: a.AgentSpec}); err != nil {
			return err
		}
	}
	return nil
}

// checkAgents refuses agents that cannot be told apart or reached.
func checkAgents(found []FoundAgent) error {
	if len(found) > maxAgents {
		return berth.Errorf(berth.Limit, "the template makes %d agents, at most %d are allowed", len(found), maxAgents)
	}
	names := map[string]string{} // address of a name
	for _, a := range found {
		if !berth.IsID(string(a.ID)) || a.Token == "" {
			return berth.Errorf(berth.Invalid, "the agent %s has no id or no token: use the coder/coder plugin that Berth brings", a.Address)
		}
		if !berth.ValidAgentName(a.Name) || len(a.Name) > 64 {
			return berth.Errorf(berth.Invalid, "%q is not a name for an agent: use letters, digits and single hyphens, at most 64", a.Name)
		}
		lower := strings.ToLower(a.Name)
		if other, taken := names[lower]; taken {
			return berth.Errorf(berth.Conflict, "two agents have the name %q (%s and %s): give each coder_agent a name of its own", a.Name, other, a.Address)
		}
		names[lower] = a.Address
	}
	return nil
}

// KeepTimings keeps with the builds that made them how long the agents of a
// workspace took to start, for when they are gone.
func KeepTimings(tx *store.Tx, id berth.WorkspaceID) error {
	agents, err := tx.Agents(id)
	if err != nil {
		return err
	}
	for _, a := range agents {
		b, err := tx.Build(a.BuildID)
		if err != nil {
			return err
		}
		inside := berth.Inside(a, b)
		if len(inside) == 0 {
			continue
		}
		d, err := tx.BuildDetail(b.ID)
		if err != nil {
			return err
		}
		if err := tx.SetInside(b.ID, berth.MergeInside(d.Inside, inside)); err != nil {
			return err
		}
	}
	return nil
}
