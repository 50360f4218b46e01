package api

import (
	"time"

	"github.com/berthdev/berth"
)

// Organization is a tenant: members, groups, templates and workspaces.
type Organization struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name"`
	Description string    `json:"description"`
	Default     bool      `json:"default"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`

	ConnectStarts bool            `json:"connect_starts" doc:"Connections may start stopped workspaces that let them"`
	IdleCounts    bool            `json:"idle_counts" doc:"An open and idle connection is activity"`
	Sharing       bool            `json:"sharing" doc:"People may share their workspaces"`
	AutostartDays []string        `json:"autostart_days" doc:"Days of the week on which workspaces may start by themselves"`
	AutoOff       int             `json:"auto_off_seconds" doc:"Inactivity after which workspaces are stopped; 0: never"`
	AutoOffByUser bool            `json:"auto_off_by_user" doc:"People may change that for their own workspaces"`
	UsedWithin    int             `json:"autostart_used_within_seconds" doc:"Workspaces start by themselves if they were used within this; 0: whether or not"`
	Limits        WorkspaceLimits `json:"limits"`

	Effects *berth.Effects `json:"effects,omitempty" doc:"Of an edit of what its workspaces live by"`
}

// WorkspaceLimits bounds how many workspaces an organization has. 0 is no limit.
type WorkspaceLimits struct {
	Workspaces        int `json:"workspaces" doc:"Of the whole organization; 0: no limit"`
	Running           int `json:"running" doc:"Of the whole organization; 0: no limit"`
	WorkspacesPerUser int `json:"workspaces_per_user" doc:"0: no limit"`
	RunningPerUser    int `json:"running_per_user" doc:"0: no limit"`
}

// CreateOrganization: POST /organizations
type CreateOrganization struct {
	Name        string `json:"name"`
	DisplayName string `json:"display_name,omitempty"`
	Description string `json:"description,omitempty"`
}

// EditOrganization: PATCH /organizations/{organization}. What is left out stays.
type EditOrganization struct {
	Name          *string              `json:"name,omitempty"`
	DisplayName   *string              `json:"display_name,omitempty"`
	Description   *string              `json:"description,omitempty"`
	ConnectStarts *bool                `json:"connect_starts,omitempty" doc:"Let connections start stopped workspaces that let them"`
	IdleCounts    *bool                `json:"idle_counts,omitempty" doc:"Count an open and idle connection as activity"`
	Sharing       *bool                `json:"sharing,omitempty" doc:"Let people share their workspaces"`
	AutostartDays *[]string            `json:"autostart_days,omitempty" doc:"Days of the week, such as monday or mon"`
	AutoOff       *int                 `json:"auto_off_seconds,omitempty" doc:"0: never"`
	AutoOffByUser *bool                `json:"auto_off_by_user,omitempty"`
	UsedWithin    *int                 `json:"autostart_used_within_seconds,omitempty" doc:"0: whether they were used or not; else 1 to 365 days"`
	Limits        *EditWorkspaceLimits `json:"limits,omitempty"`
	PolicyEdit
}

// EditWorkspaceLimits is what to change of the limits; 0 is no limit.
type EditWorkspaceLimits struct {
	Workspaces        *int `json:"workspaces,omitempty"`
	Running           *int `json:"running,omitempty"`
	WorkspacesPerUser *int `json:"workspaces_per_user,omitempty"`
	RunningPerUser    *int `json:"running_per_user,omitempty"`
}

// Allowance is how much a group adds to what each of its members may spend a
// day, in the unit of daily_cost.
type Allowance struct {
	Amount    int  `json:"amount" required:"false"`
	Unlimited bool `json:"unlimited" required:"false"`
}

// Member is a user in an organization.
type Member struct {
	UserID   string    `json:"user_id"`
	Username string    `json:"username"`
	Name     string    `json:"name,omitempty"`
	Email    string    `json:"email"`
	Status   string    `json:"status" enum:"active,dormant,suspended"`
	System   bool      `json:"system,omitempty" doc:"No person: owns prebuilds"`
	Roles    []string  `json:"roles" doc:"In the organization; everybody is a member besides"`
	Source   string    `json:"source" doc:"user, or the identity provider that keeps the membership"`
	JoinedAt time.Time `json:"joined_at"`
}

// AddMember: PUT /organizations/{organization}/members/{user}
type AddMember struct {
	Roles *[]string `json:"roles,omitempty" doc:"owner, user-admin, template-admin, auditor; left out, those of somebody who is a member already stay"`
}

// EditMember: PATCH /organizations/{organization}/members/{user}. Roles that are
// not named stay.
type EditMember struct {
	Add    []string `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
}

// RemovedMember: DELETE /organizations/{organization}/members/{user}
type RemovedMember struct {
	Workspaces []string `json:"workspaces" doc:"Names of what they still have in the organization: they may enter, stop and delete it"`
}

// Group is some members of an organization.
type Group struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name"`
	Allowance   Allowance `json:"allowance" doc:"What it adds to what each of its members may spend a day"`
	Members     int       `json:"members"`
	Everyone    bool      `json:"everyone" doc:"All members of the organization; not put together by hand"`
	Source      string    `json:"source" doc:"user, or the identity provider that keeps its members"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// CreateGroup: POST /organizations/{organization}/groups
type CreateGroup struct {
	Name        string     `json:"name"`
	DisplayName string     `json:"display_name,omitempty"`
	Allowance   *Allowance `json:"allowance,omitempty" doc:"Left out: 0"`
}

// EditGroup: PATCH /organizations/{organization}/groups/{group}. What is left out
// stays.
type EditGroup struct {
	Name        *string    `json:"name,omitempty"`
	DisplayName *string    `json:"display_name,omitempty"`
	Allowance   *Allowance `json:"allowance,omitempty"`
}

// GroupMember is a user in a group.
type GroupMember struct {
	UserID   string `json:"user_id"`
	Username string `json:"username"`
	Name     string `json:"name,omitempty"`
	System   bool   `json:"system,omitempty" doc:"No person: owns prebuilds"`
	Source   string `json:"source" doc:"user, or the identity provider that put them there"`
}

// AllowedProvider is a workspace provider that an organization may use.
type AllowedProvider struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Used bool   `json:"used" doc:"Where a workspace or a push names none"`
}
