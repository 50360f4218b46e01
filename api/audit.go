package api

import (
	"time"

	"github.com/berthdev/berth"
)

// Audit tells of one thing that was done, or tried. GET /audit
type Audit struct {
	ID             string         `json:"id"`
	At             time.Time      `json:"at"`
	Class          string         `json:"class" enum:"write,sign-in,connection,automatic"`
	ActorID        string         `json:"actor_id,omitempty" doc:"Empty: nobody was signed in, or Berth did it by itself"`
	Actor          string         `json:"actor,omitempty" doc:"Username at that time"`
	OrganizationID string         `json:"organization_id,omitempty"`
	Organization   string         `json:"organization,omitempty" doc:"Name now"`
	Action         string         `json:"action" doc:"create, edit, delete, start, login, connect, …"`
	Kind           string         `json:"kind" doc:"Of what it was done to: user, workspace, template, …"`
	TargetID       string         `json:"target_id,omitempty"`
	Target         string         `json:"target,omitempty" doc:"Name at that time"`
	Result         string         `json:"result" doc:"ok, or the code of the error"`
	Reason         string         `json:"reason,omitempty" doc:"The rule that decided, of what Berth did by itself; why a build was made; why a connection ended"`
	Changes        berth.Changes  `json:"changes,omitempty" doc:"Field by field; of secret ones neither value"`
	Detail         map[string]any `json:"detail,omitempty"`
	Address        string         `json:"address,omitempty" doc:"That the request came from"`
	UserAgent      string         `json:"user_agent,omitempty" doc:"The program"`
	RequestID      string         `json:"request_id,omitempty" doc:"As in the answer's X-Request-Id and in the server's log"`
	TokenID        string         `json:"token_id,omitempty"`
}

// AuditType is the content type of an export: an Audit a line.
const AuditType = "application/jsonl"
