package workspaces

import (
	"fmt"
	"maps"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/tags"
)

// asksFor is the tags that a version asks of a workspace provider, with answers.
func (s *Service) asksFor(q *store.Query, v berth.Version, answers map[string]string) (map[string]string, error) {
	if v.Contents.Tags == nil {
		return nil, nil
	}
	given, err := s.templates.Variables(q, v.ID)
	if err != nil {
		return nil, err
	}
	asked, err := tags.Evaluate(v.Contents.Tags, tags.Given{Variables: tags.Variables(v.Contents.Variables, given), Answers: answers})
	if err != nil {
		return nil, fmt.Errorf("choosing a workspace provider: %w", err)
	}
	return asked, nil
}

// has refuses, with the cure, what a start needs of the owner and of the
// workspace's provider. What nobody asked for is not kept from trying: the build
// says the same.
func (s *Service) has(q *store.Query, actor authz.Actor, w berth.Workspace, base berth.Build, v berth.Version, answers map[string]string) error {
	if !actor.IsSystem() && s.opt.Credentials != nil {
		if err := s.opt.Credentials.Kept(q, w.OwnerID, v.Contents.Secrets); err != nil {
			return err
		}
	}
	asked, err := s.asksFor(q, v, answers)
	if err != nil || len(asked) == 0 {
		return err
	}
	p, err := q.ProviderRef(string(w.ProviderID))
	if err != nil || tags.Match(asked, p.Tags) {
		return err
	}
	// A provider that lost a tag keeps the workspaces that it has.
	if base.VersionID != "" {
		last, err := q.Version(base.VersionID)
		if err != nil {
			return err
		}
		if before, err := s.asksFor(q, last, base.Parameters); err == nil && maps.Equal(before, asked) {
			return nil
		}
	}
	return berth.Errorf(berth.Conflict, "the workspace is in the workspace provider %s, and version %s with these answers asks for one with the tags %s: a workspace does not move, so make a new one",
		p.Name, v.Name, tags.Say(asked))
}
