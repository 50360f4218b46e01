package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/audit"
)

// deed is what a request wants to do, as the record calls it. What was done, the
// use cases record with what it changed; what was refused has no transaction
// and is recorded here.
type deed struct {
	class                        berth.AuditClass
	action, kind                 string
	target, organization, asking string // asking: the parameter that target comes from
}

// deeds is what the record calls operations, kind and action, where their method
// and path would call them otherwise: see deedOf.
var deeds = map[string][2]string{
	"createFirstUser":      {"user", "create"},
	"login":                {"user", "login"},
	"finishLogin":          {"user", "login"},
	"logout":               {"user", "logout"},
	"setPreferences":       {"user", "edit"},
	"changePassword":       {"user", "edit"},
	"resetPassword":        {"user", "edit"},
	"removeTokens":         {"user", "logout"},
	"addMember":            {"member", "add"},
	"editMember":           {"member", "edit"},
	"removeMember":         {"member", "remove"},
	"addGroupMember":       {"group", "add"},
	"removeGroupMember":    {"group", "remove"},
	"allowProvider":        {"provider", "allow"},
	"denyProvider":         {"provider", "deny"},
	"readNotices":          {"notices", "read"},
	"setNoticePreferences": {"notices", "edit"},
	"pauseNotices":         {"notices", "pause"},
	"testNotices":          {"notices", "test"},
	"regenerateSSHKey":     {"ssh-key", "regenerate"},
	"beginExternal":        {"external-auth", "begin"},
	"finishExternal":       {"external-auth", "link"},
	"revokeExternal":       {"external-auth", "revoke"},
	"uploadArchive":        {"archive", "upload"},
	"pushVersion":          {"template", "push"},
	"activateVersion":      {"template", "activate"},
	"archiveVersion":       {"template", "archive"},
	"unarchiveVersion":     {"template", "unarchive"},
	"archiveUnused":        {"template", "archive"},
	"undoTemplateEdit":     {"template", "undo"},
	"undoOrganizationEdit": {"organization", "undo"},
	"putTemplateGrants":    {"template", "share"},
	"removeTemplateGrants": {"template", "unshare"},
	"putGrants":            {"workspace", "share"},
	"removeGrants":         {"workspace", "unshare"},
	"rotateAgentKey":       {"workspace", "rotate-key"},
	"createHold":           {"workspace", "hold"},
	"releaseHolds":         {"workspace", "release-hold"},
	"releaseHold":          {"workspace", "release-hold"},
	"setQuietHours":        {"user", "edit"},
	"editSchedule":         {"workspace", "schedule"},
	"extendWorkspace":      {"workspace", "extend"},
	"sleepWorkspace":       {"workspace", "dormancy-sleep"},
	"wakeWorkspace":        {"workspace", "dormancy-wake"},
	"addFavorite":          {"workspace", "favorite"},
	"removeFavorite":       {"workspace", "unfavorite"},
	"createBuild":          {"workspace", "build"}, // and then what build
	"sharePort":            {"workspace", "share"},
	"unsharePort":          {"workspace", "unshare"},
	"openApp":              {"workspace", "open-app"},
	"pullState":            {"workspace", "state-pull"},
	"pushState":            {"workspace", "state-push"},
	"restoreState":         {"workspace", "state-restore"},
	"lookAtWorkspace":      {"workspace", "look"},
	"askTicket":            {"workspace", "connect"},
	"openStream":           {"workspace", "connect"},
	"openTerminal":         {"workspace", "connect"},
	"exportAudit":          {"audit", "export"},
}

// verbs are the actions of methods.
var verbs = map[string]string{http.MethodPost: "create", http.MethodPut: "edit", http.MethodPatch: "edit", http.MethodDelete: "delete"}

// deedOf is what an operation does; nil for one that changes nothing.
func deedOf(o *huma.Operation) *deed {
	var d deed
	called, said := deeds[o.OperationID]
	switch {
	case said:
		d.kind, d.action = called[0], called[1]
	case verbs[o.Method] == "":
		return nil
	default:
		var words []string
		for part := range strings.SplitSeq(strings.Trim(o.Path, "/"), "/") {
			if !strings.HasPrefix(part, "{") {
				words = append(words, part)
			}
		}
		last := words[len(words)-1]
		if d.action, d.kind = verbs[o.Method], strings.TrimSuffix(last, "s"); o.Method == http.MethodPost && len(words) > 1 && !strings.HasSuffix(last, "s") {
			d.action, d.kind = last, strings.TrimSuffix(words[len(words)-2], "s") // POST /builds/{build}/cancel
		}
	}
	if d.class = berth.AuditWrite; d.action == "connect" {
		d.class = berth.AuditConnection
	} else if d.action == "login" || d.action == "logout" {
		d.class = berth.AuditSignIn
	}
	for _, name := range pathParameters(o.Path) {
		if d.asking == "" || d.asking != d.kind {
			d.asking = name
		}
	}
	return &d
}

// intends notes what a request wants to do.
func (d *deed) intends(r *http.Request) {
	if d == nil {
		return
	}
	mine := *d
	if d.asking != "" {
		mine.target = r.PathValue(d.asking)
	}
	mine.organization = r.PathValue("organization")
	requestOf(r.Context()).deed = &mine
}

// meaning says more exactly what the request of ctx wants to do, where that
// stands in its body. Empty words change nothing.
func meaning(ctx context.Context, action, target string) {
	d := requestOf(ctx).deed
	if d == nil {
		return
	}
	if action != "" {
		d.action = action
	}
	if target != "" {
		d.target = target
	}
}

// refusals records what people wanted to do and was not done.
func (h *handlers) refusals(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		req := requestOf(r.Context())
		d, code := req.deed, codeOf(req.err)
		if a, ok := w.(*answer); ok && code == berth.Internal && a.code() < http.StatusInternalServerError {
			code = berth.Invalid // huma refused it
		}
		switch {
		case d == nil, code == "", code == berth.Unavailable, errors.Is(req.err, context.Canceled):
			return // nobody was refused anything
		case req.user.ID == "" && code == berth.Unauthenticated && d.class != berth.AuditSignIn:
			return // whoever that was: only good tokens and sign-ins tell anything
		}
		h.Audit.Failed(req.recorded(r.Context()), audit.Failure{
			Class: d.class, ActorID: req.user.ID, Action: d.action, Kind: d.kind, Target: d.target, Organization: d.organization, Code: code, Err: req.err,
		})
	})
}

// codeOf is the code that an answer has: that of the error, or of what huma
// found wrong with the request.
func codeOf(err error) berth.Code {
	var shown *problem
	var found *huma.ErrorDetail
	switch {
	case errors.As(err, &shown):
		return berth.Code(shown.Code)
	case errors.As(err, &found):
		return berth.Invalid
	default:
		return berth.ErrorCode(err)
	}
}

// switching is an answer that tells when it becomes a websocket.
type switching struct {
	http.ResponseWriter
	then func()
}

func (s *switching) WriteHeader(status int) {
	s.ResponseWriter.WriteHeader(status)
	if status == http.StatusSwitchingProtocols {
		s.then()
	}
}

// Unwrap lets http.ResponseController and websockets reach the connection.
func (s *switching) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// through says what a stream of a kind reaches.
func through(kind string) string {
	word, address, _ := strings.Cut(kind, ":")
	switch word {
	case "tcp":
		return "port " + address[strings.LastIndexByte(address, ':')+1:]
	case "udp":
		return "UDP port " + address[strings.LastIndexByte(address, ':')+1:]
	default:
		return word
	}
}

// connected records that the caller of ctx reaches into a workspace. Streams to
// one port count as one connection.
func (h *handlers) connected(ctx context.Context, a berth.Agent, through, stream string) (end func(why string)) {
	if strings.Contains(through, "port ") {
		stream = ""
	}
	return h.Audit.Connections().Open(ctx, audit.Connection{Actor: requestOf(ctx).user.ID, Workspace: a.WorkspaceID, Agent: a.Name, Through: through, Stream: stream})
}

// ending is why a connection that was admitted ended; "" when it did by itself.
func ending(admitted context.Context) string {
	if why := context.Cause(admitted); why != nil && !errors.Is(why, context.Canceled) {
		return upper(berth.ErrorMessage(why)) + "."
	}
	return ""
}
