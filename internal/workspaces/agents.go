package workspaces

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
)

// Agents lists the agents of the workspace's newest start.
func (s *Service) Agents(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) ([]AgentView, error) {
	panic("not yet")
}

// ResolveAgent is the agent of a name ("" or "-": the only one) that the actor
// may open a session to: the owner of the workspace and the owner of the site.
func (s *Service) ResolveAgent(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, name string) (berth.Agent, error) {
	panic("not yet")
}

// AgentLogs is an agent's log behind after ("": from the start), and what to
// give as after for the lines behind it ("" when there are none now).
func (s *Service) AgentLogs(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, agent, after string, limit int) ([]berth.Log, string, error) {
	panic("not yet")
}

// AgentByToken tells which agent speaks, for reports: lifecycle and logs, also
// while its workspace is being stopped.
func (s *Service) AgentByToken(ctx context.Context, token string) (AgentIdentity, error) {
	panic("not yet")
}

// AgentForLink is AgentByToken for the manifest and links, which are refused
// once the newest build is a stop or delete.
func (s *Service) AgentForLink(ctx context.Context, token string) (AgentIdentity, error) {
	panic("not yet")
}

// AgentHello records what the agent says of itself. Its manifest is made of
// who it is. version and directory may be empty.
func (s *Service) AgentHello(ctx context.Context, who AgentIdentity, version, directory string, boot int64) error {
	panic("not yet")
}

// AgentLifecycle records how far the agent is with its scripts.
func (s *Service) AgentLifecycle(ctx context.Context, who AgentIdentity, state berth.AgentLifecycle, at time.Time) error {
	panic("not yet")
}

// AppendAgentLogs keeps lines of the agent's log. Lines that are there already
// are kept once; when the log is full the rest is dropped and full is true.
func (s *Service) AppendAgentLogs(ctx context.Context, who AgentIdentity, boot int64, lines []berth.Log) (full bool, err error) {
	panic("not yet")
}

// Linked records that the agent has a link.
func (s *Service) Linked(ctx context.Context, id berth.AgentID) error { panic("not yet") }

// Seen records signs of life of linked agents, in one statement. Call it no
// more often than every few seconds.
func (s *Service) Seen(ctx context.Context, ids []berth.AgentID) error { panic("not yet") }

// Unlinked records that the agent's last link has ended.
func (s *Service) Unlinked(ctx context.Context, id berth.AgentID) error { panic("not yet") }
