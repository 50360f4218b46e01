package store

import (
	"context"
	"errors"
	"strings"

	"github.com/berthdev/berth"
)

// constraints is what it means to a person that a unique index refused a row.
// Every unique index that is not a primary key has its line.
var constraints = map[string]berth.Error{
	"organizations_name":          {Code: berth.Conflict, Field: "name", Message: "an organization of this name exists already: choose another name"},
	"organizations_one_default":   {Code: berth.Conflict, Message: "there is a default organization already"},
	"users_username":              {Code: berth.Conflict, Field: "username", Message: "a user of this name exists already: choose another username"},
	"users_email":                 {Code: berth.Conflict, Field: "email", Message: "a user with this e-mail address exists already"},
	"groups_name":                 {Code: berth.Conflict, Field: "name", Message: "the organization has a group of this name already: choose another name"},
	"identities_user":             {Code: berth.Conflict, Message: "this user signs in there as somebody else already"},
	"tokens_hash":                 {Code: berth.Conflict, Message: "this token exists already"},
	"tokens_api_name":             {Code: berth.Conflict, Field: "name", Message: "you have a token of this name already: choose another name, or remove that one"},
	"providers_name":              {Code: berth.Conflict, Field: "name", Message: "a workspace provider of this name exists already: choose another name"},
	"providers_token_hash":        {Code: berth.Conflict, Message: "this provider token exists already"},
	"templates_name":              {Code: berth.Conflict, Field: "name", Message: "a template of this name exists already: choose another name"},
	"versions_name":               {Code: berth.Conflict, Field: "name", Message: "a version of this name exists already: choose another name"},
	"workspaces_name":             {Code: berth.Conflict, Field: "name", Message: "a workspace of this name exists already: choose another name"},
	"builds_number":               {Code: berth.Conflict, Message: "another build of the workspace was made at the same moment: try again"},
	"builds_one_active":           {Code: berth.Conflict, Message: activeBuild},
	"state_revisions_one_current": {Code: berth.Conflict, Message: "the workspace's state was changed at the same moment: try again"},
	"agents_token_hash":           {Code: berth.Conflict, Message: "this agent token is in use already"},
	"user_secrets_name":           {Code: berth.Conflict, Field: "name", Message: "you have a secret of this name already: change it, or choose another name"},
	"notices_once":                {Code: berth.Conflict, Message: "this person was told of it already"},
	"deliveries_method":           {Code: berth.Conflict, Message: "this notice is sent there already"},
	"agents_name":                 {Code: berth.Conflict, Message: "two agents of the workspace have the same name: give each coder_agent its own"},
}

// activeBuild is the answer to a second build of a workspace.
const activeBuild = "a build of this workspace is pending or running already: wait until it has ended, or cancel it"

// translate makes a berth.Error of what the database says, where its meaning is
// known. Errors that have a meaning already stay as they are.
func (db *DB) translate(err error) error {
	var known *berth.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	switch kind, name := db.dialect.constraint(err); kind {
	case uniqueConstraint:
		if own, ok := db.unique[name]; ok {
			name = own
		}
		if e, ok := constraints[name]; ok {
			e.Err = err
			return &e
		}
		noun := strings.TrimSuffix(name, "_pkey")
		return &berth.Error{Code: berth.Conflict, Message: "it exists already in " + noun, Err: err}
	case foreignKey:
		return &berth.Error{Code: berth.Conflict, Err: err,
			Message: "it refers to something that is gone, or something still refers to it"}
	}
	if why := db.dialect.away(err); why != "" {
		return &berth.Error{Code: berth.Unavailable, Message: why, Err: err}
	}
	return err
}
