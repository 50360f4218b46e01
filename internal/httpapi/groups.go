package httpapi

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/organizations"
)

type listGroupsInput struct {
	InOrganization
	Page
}

func (h *handlers) listGroups(ctx context.Context, in *listGroupsInput) (*body[api.Page[api.Group]], error) {
	groups, next, err := h.Organizations.Groups(ctx, actorOf(ctx), in.Organization, in.After, in.Limit)
	return answered(api.Page[api.Group]{Items: list(groups, viewGroup), Next: next}, err)
}

// GroupInput names a group in a path.
type GroupInput struct {
	InOrganization
	Group string `path:"group" doc:"Name or id"`
}

func (h *handlers) getGroup(ctx context.Context, in *GroupInput) (*body[api.Group], error) {
	g, err := h.Organizations.Group(ctx, actorOf(ctx), in.Organization, in.Group)
	return answered(viewGroup(g), err)
}

type createGroupInput struct {
	InOrganization
	Body api.CreateGroup
}

func (h *handlers) createGroup(ctx context.Context, in *createGroupInput) (*body[api.Group], error) {
	n := organizations.NewGroup{Name: in.Body.Name, DisplayName: in.Body.DisplayName}
	if in.Body.Allowance != nil {
		n.Allowance = berth.Allowance(*in.Body.Allowance)
	}
	g, err := h.Organizations.CreateGroup(ctx, actorOf(ctx), in.Organization, n)
	return answered(viewGroup(g), err)
}

type editGroupInput struct {
	GroupInput
	Body api.EditGroup
}

func (h *handlers) editGroup(ctx context.Context, in *editGroupInput) (*body[api.Group], error) {
	e := organizations.EditGroup{Name: in.Body.Name, DisplayName: in.Body.DisplayName, Allowance: (*berth.Allowance)(in.Body.Allowance)}
	g, err := h.Organizations.EditGroup(ctx, actorOf(ctx), in.Organization, in.Group, e)
	return answered(viewGroup(g), err)
}

func (h *handlers) deleteGroup(ctx context.Context, in *GroupInput) (*struct{}, error) {
	return nil, h.Organizations.DeleteGroup(ctx, actorOf(ctx), in.Organization, in.Group)
}

type listGroupMembersInput struct {
	GroupInput
	Page
}

func (h *handlers) listGroupMembers(ctx context.Context, in *listGroupMembersInput) (*body[api.Page[api.GroupMember]], error) {
	members, next, err := h.Organizations.GroupMembers(ctx, actorOf(ctx), in.Organization, in.Group, in.After, in.Limit)
	return answered(api.Page[api.GroupMember]{Items: list(members, viewGroupMember), Next: next}, err)
}

type groupMemberInput struct {
	GroupInput
	User string `path:"user" doc:"Username or id"`
}

func (h *handlers) addGroupMember(ctx context.Context, in *groupMemberInput) (*struct{}, error) {
	return nil, h.Organizations.AddToGroup(ctx, actorOf(ctx), in.Organization, in.Group, in.User)
}

func (h *handlers) removeGroupMember(ctx context.Context, in *groupMemberInput) (*struct{}, error) {
	return nil, h.Organizations.RemoveFromGroup(ctx, actorOf(ctx), in.Organization, in.Group, in.User)
}

func viewGroup(g organizations.GroupView) api.Group {
	return api.Group{
		ID: string(g.ID), Name: g.Name, DisplayName: g.DisplayName, Allowance: api.Allowance(g.Allowance), Members: g.Members,
		Everyone: g.Everyone(), Source: string(g.Source), CreatedAt: g.CreatedAt, UpdatedAt: g.UpdatedAt,
	}
}

func viewGroupMember(m organizations.GroupMember) api.GroupMember {
	return api.GroupMember{UserID: string(m.User.ID), Username: m.User.Username, Name: m.User.Name, System: m.User.System, Source: string(m.PutBy)}
}
