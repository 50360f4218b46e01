package berth

import (
	"reflect"
	"time"
)

// Audit is the record of one thing that somebody, or Berth by itself, did.
type Audit struct {
	ID             ID[Audit]
	At             time.Time
	Class          AuditClass
	ActorID        UserID // empty for somebody who is not signed in
	ActorName      string // username at that time
	OrganizationID OrganizationID
	Organization   string // name that it has now, where a row is read
	Action         string // create, edit, delete, start, login, connect, …
	Kind           string // of the target: user, workspace, …
	TargetID       string
	TargetName     string
	Result         string // "ok", or the code of the error
	Reason         string // the rule that decided, of what Berth did by itself
	Changes        Changes
	Detail         map[string]any // never secrets
	AuditOrigin
}

// AuditOrigin is where a request came from.
type AuditOrigin struct {
	Address   string
	UserAgent string
	RequestID string
	TokenID   TokenID
}

// AuditOK is the result of what succeeded.
const AuditOK = "ok"

// AuditClass sorts the record.
type AuditClass string

const (
	AuditWrite      AuditClass = "write"
	AuditSignIn     AuditClass = "sign-in"
	AuditConnection AuditClass = "connection"
	AuditAutomatic  AuditClass = "automatic"
)

// AuditClasses lists them all.
var AuditClasses = []AuditClass{AuditWrite, AuditSignIn, AuditConnection, AuditAutomatic}

// Changes is what a write changed, field by field.
type Changes map[string]FieldChange

// FieldChange is a field before and after. Of a secret one neither is told.
type FieldChange struct {
	Old    any  `json:"old,omitempty"`
	New    any  `json:"new,omitempty"`
	Secret bool `json:"secret,omitempty"`
}

// Set notes a field if it differs.
func (c Changes) Set(field string, old, new any) {
	if !reflect.DeepEqual(old, new) {
		c[field] = FieldChange{Old: old, New: new}
	}
}

// Fill notes the fields of something new, or of something that goes: those that
// are empty are left out.
func (c Changes) Fill(isNew bool, fields map[string]any) {
	for field, v := range fields {
		switch value := reflect.ValueOf(v); {
		case !value.IsValid() || value.IsZero() || value.Kind() == reflect.Slice && value.Len() == 0:
		case isNew:
			c[field] = FieldChange{New: v}
		default:
			c[field] = FieldChange{Old: v}
		}
	}
}

// Secret notes that a field changed whose values nobody may see.
func (c Changes) Secret(field string) { c[field] = FieldChange{Secret: true} }
