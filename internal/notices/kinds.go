package notices

import (
	"slices"
	"time"

	"github.com/berthdev/berth"
)

// The kinds of notices. What each says is made of its Data; Tell adds "workspace"
// (OWNER/NAME) and "template" to that by the ids. Times are RFC 3339.
const (
	// To the owner of a workspace.
	KindDormant         = "workspace-dormant"       // why, deleting_at (if it will be)
	KindDeletionSoon    = "workspace-deletion-soon" // deleting_at (none: not any more), dormant_at
	KindDeleted         = "workspace-deleted"       // by (a username), or why when it was automatic
	KindStopSoon        = "workspace-stops-soon"    // at, why, fixed ("yes": nothing moves it)
	KindAutomaticFailed = "automatic-build-failed"  // transition, build (its number), why, error
	KindUpdated         = "workspace-updated"       // version
	KindBlocked         = "workspace-start-blocked" // why it was not started by itself
	KindOutOfMemory     = "workspace-out-of-memory" // percent
	KindOutOfDisk       = "workspace-out-of-disk"   // percent, path
	KindDeprecated      = "template-deprecated"     // reason; to owners of its workspaces

	// To those who manage templates.
	KindBuildFailed     = "workspace-build-failed"    // transition, build, by, error
	KindCreated         = "workspace-created"         // by
	KindUpdatedByHand   = "workspace-updated-by-hand" // by, version
	KindTemplateDeleted = "template-deleted"          // by

	// To those who manage users, or to the user.
	KindUserCreated      = "user-created"   // user, by
	KindUserDeleted      = "user-deleted"   // user, by
	KindUserSuspended    = "user-suspended" // user, by
	KindUserActivated    = "user-activated" // user, by
	KindAccountSuspended = "account-suspended"
	KindAccountActivated = "account-activated"

	KindTest = "test" // by
)

// Kind is one kind of notice.
type Kind struct {
	Name  string
	About string // when people are told of it, for those who choose
	To    string // who is told

	Off    []berth.Way   // ways that nobody is told on unless they ask for it
	Fixed  []berth.Way   // ways that cannot be switched off
	Useful time.Duration // not sent later than that after it was told; 0: sent until it is given up
	// Away: it is sent to people who may not sign in too.
	Away bool

	say func(w words) (title, body string)
}

// Who is told of a kind.
const (
	toOwner          = "the workspace's owner"
	toTemplateAdmins = "template admins"
	toUserAdmins     = "user admins of the site"
	toThem           = "the user"
	toCaller         = "who asks for it"
)

// Kinds lists them, in the order in which people choose.
var Kinds = []Kind{
	{Name: KindDormant, To: toOwner, About: "your workspace sleeps, because it was not used for long", Fixed: inbox, say: sayDormant},
	{Name: KindDeletionSoon, To: toOwner, About: "your sleeping workspace will be deleted soon", Fixed: inbox, say: sayDeletionSoon},
	{Name: KindDeleted, To: toOwner, About: "your workspace was deleted, by somebody else or by itself", say: sayDeleted},
	{Name: KindStopSoon, To: toOwner, About: "your workspace stops soon", Off: []berth.Way{berth.WayEmail}, Useful: time.Hour, say: sayStopSoon},
	{Name: KindAutomaticFailed, To: toOwner, About: "your workspace could not be started, stopped or deleted by itself", say: sayAutomaticFailed},
	{Name: KindBlocked, To: toOwner, About: "your workspace was not started by itself, because it needs you", say: sayBlocked},
	{Name: KindUpdated, To: toOwner, About: "your workspace was started by itself with a new version", say: sayUpdated},
	{Name: KindOutOfMemory, To: toOwner, About: "your workspace runs out of memory", Useful: 6 * time.Hour, say: sayOutOfMemory},
	{Name: KindOutOfDisk, To: toOwner, About: "a disk of your workspace is nearly full", say: sayOutOfDisk},
	{Name: KindDeprecated, To: toOwner, About: "the template of your workspace is deprecated", say: sayDeprecated},

	{Name: KindBuildFailed, To: toTemplateAdmins, About: "a build that a person asked for failed", say: sayBuildFailed},
	{Name: KindCreated, To: toTemplateAdmins, About: "a workspace was made", Off: berth.Ways, say: sayCreated},
	{Name: KindUpdatedByHand, To: toTemplateAdmins, About: "a person started a workspace with another version", Off: berth.Ways, say: sayUpdatedByHand},
	{Name: KindTemplateDeleted, To: toTemplateAdmins, About: "a template was deleted", say: sayTemplateDeleted},

	{Name: KindUserCreated, To: toUserAdmins, About: "a user was made", say: sayUser("was made")},
	{Name: KindUserDeleted, To: toUserAdmins, About: "a user was deleted", say: sayUser("was deleted")},
	{Name: KindUserSuspended, To: toUserAdmins, About: "a user was suspended", say: sayUser("was suspended")},
	{Name: KindUserActivated, To: toUserAdmins, About: "a user was let in again", say: sayUser("was let in again")},
	{Name: KindAccountSuspended, To: toThem, About: "you were suspended", Away: true, say: sayAccountSuspended},
	{Name: KindAccountActivated, To: toThem, About: "you were let in again", say: sayAccountActivated},

	{Name: KindTest, To: toCaller, About: "somebody tries whether notices arrive", Fixed: berth.Ways, Useful: time.Hour, say: sayTest},
}

var inbox = []berth.Way{berth.WayInbox}

// kindOf is a kind by its name.
func kindOf(name string) (Kind, bool) {
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return Kinds[i], true
}

// wanted tells whether somebody is told of the kind on a way, who said nothing
// (said nil) or something of it.
func (k Kind) wanted(way berth.Way, said *bool) bool {
	switch {
	case slices.Contains(k.Fixed, way):
		return true
	case said != nil:
		return *said
	}
	return !slices.Contains(k.Off, way)
}
