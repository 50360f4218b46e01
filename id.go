package berth

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// ID identifies one thing of kind T. Its text is a UUID; a type per noun keeps
// a workspace's id from being passed where a build's is wanted.
type ID[T any] string

type (
	OrganizationID = ID[Organization]
	UserID         = ID[User]
	GroupID        = ID[Group]
	TokenID        = ID[Token]
	TemplateID     = ID[Template]
	VersionID      = ID[Version]
	WorkspaceID    = ID[Workspace]
	BuildID        = ID[Build]
	AgentID        = ID[Agent]
	ProviderID     = ID[Provider]
	HoldID         = ID[Hold]
	SecretID       = ID[Secret]
	ActID          = ID[Act]
	NoticeID       = ID[Notice]
	DeliveryID     = ID[Delivery]
)

// NewID makes a version 7 UUID (RFC 9562): sortable by the millisecond in
// which it was made, unguessable in the rest.
func NewID[T any]() ID[T] {
	var b [16]byte
	if _, err := rand.Read(b[6:]); err != nil {
		panic(err) // crypto/rand never fails on a machine that can run us
	}
	ms := uint64(time.Now().UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[0:8], b[0:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:36], b[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return ID[T](s[:])
}

// IsID tells whether s has the form of an id (8-4-4-4-12 lower-case hex).
func IsID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
				return false
			}
		}
	}
	return true
}
