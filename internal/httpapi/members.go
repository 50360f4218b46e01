package httpapi

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/organizations"
)

type listMembersInput struct {
	InOrganization
	Page
	Query string `query:"q" doc:"A part of the name, or role:auditor"`
}

func (h *handlers) listMembers(ctx context.Context, in *listMembersInput) (*body[api.Page[api.Member]], error) {
	rows, next, err := h.Organizations.Members(ctx, actorOf(ctx), in.Organization, organizations.ListMembers{Query: in.Query, After: in.After, Limit: in.Limit})
	return answered(api.Page[api.Member]{Items: list(rows, viewMember), Next: next}, err)
}

// MemberInput names a member of an organization in a path.
type MemberInput struct {
	InOrganization
	User string `path:"user" doc:"Username or id; me is who asks"`
}

func (h *handlers) getMember(ctx context.Context, in *MemberInput) (*body[api.Member], error) {
	r, err := h.Organizations.Member(ctx, actorOf(ctx), in.Organization, in.User)
	return answered(viewMember(r), err)
}

type addMemberInput struct {
	MemberInput
	Body api.AddMember
}

func (h *handlers) addMember(ctx context.Context, in *addMemberInput) (*body[api.Member], error) {
	var roles []berth.Role
	if in.Body.Roles != nil {
		roles = rolesOf(*in.Body.Roles)
	}
	r, err := h.Organizations.AddMember(ctx, actorOf(ctx), in.Organization, in.User, roles)
	return answered(viewMember(r), err)
}

type editMemberInput struct {
	MemberInput
	Body api.EditMember
}

func (h *handlers) editMember(ctx context.Context, in *editMemberInput) (*body[api.Member], error) {
	r, err := h.Organizations.EditRoles(ctx, actorOf(ctx), in.Organization, in.User, rolesOf(in.Body.Add), rolesOf(in.Body.Remove))
	return answered(viewMember(r), err)
}

func (h *handlers) removeMember(ctx context.Context, in *MemberInput) (*body[api.RemovedMember], error) {
	left, err := h.Organizations.RemoveMember(ctx, actorOf(ctx), in.Organization, in.User)
	return answered(api.RemovedMember{Workspaces: list(left, func(s string) string { return s })}, err)
}

// rolesOf is roles from the wire; none are not nil.
func rolesOf(names []string) []berth.Role {
	return list(names, func(n string) berth.Role { return berth.Role(n) })
}

func viewMember(r organizations.Member) api.Member {
	u := r.User
	return api.Member{
		UserID: string(u.ID), Username: u.Username, Name: u.Name, Email: u.Email, Status: string(u.Status), System: u.System,
		Roles: list(r.Roles, func(r berth.Role) string { return string(r) }), Source: string(r.Source), JoinedAt: r.CreatedAt,
	}
}
