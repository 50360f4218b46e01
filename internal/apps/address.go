package apps

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/berthdev/berth"
)

// maxLabel is the most characters of one part of a host name.
const maxLabel = 63

var (
	slugForm = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])*$`)
	portForm = regexp.MustCompile(`^[1-9][0-9]{0,4}s?$`)
)

// FormatLabel is the first part of an app's host name:
// APP--AGENT--WORKSPACE--OWNER, where APP is a slug, a port, or a port and s for
// one that speaks TLS, and the agent may be left out.
func FormatLabel(ref berth.AppRef) (string, error) {
	what, err := formatApp(ref)
	if err != nil {
		return "", err
	}
	parts := []string{what, ref.Agent, ref.Workspace, ref.Owner}
	if ref.Agent == "" {
		parts = []string{what, ref.Workspace, ref.Owner}
	}
	text := strings.ToLower(strings.Join(parts, "--"))
	if len(text) > maxLabel {
		return "", berth.Errorf(berth.Invalid, "The host name %s… would have %d characters in its first part, and DNS allows %d: a shorter name for the workspace or the app makes it fit.",
			text[:24], len(text), maxLabel)
	}
	return text, nil
}

func formatApp(ref berth.AppRef) (string, error) {
	if ref.App == "" {
		text := strconv.Itoa(ref.Port)
		if ref.HTTPS {
			text += "s"
		}
		return text, nil
	}
	slug := strings.ToLower(ref.App)
	if !slugForm.MatchString(slug) {
		return "", berth.Errorf(berth.Invalid, "%q cannot be part of a host name: the app needs another slug.", ref.App)
	}
	if portForm.MatchString(slug) {
		return "", berth.Errorf(berth.Invalid, "The slug %s reads like a port: the app needs another one to have a host of its own.", ref.App)
	}
	return slug, nil
}

// ParseLabel reads what FormatLabel wrote.
func ParseLabel(text string) (ref berth.AppRef, ok bool) {
	parts := strings.Split(strings.ToLower(text), "--")
	if len(text) > maxLabel || len(parts) != 3 && len(parts) != 4 {
		return ref, false
	}
	n := len(parts)
	ref.Owner, ref.Workspace = parts[n-1], parts[n-2]
	if n == 4 {
		if ref.Agent = parts[1]; !berth.ValidAgentName(ref.Agent) {
			return ref, false
		}
	}
	if berth.ValidateName("", ref.Owner) != nil || berth.ValidateName("", ref.Workspace) != nil {
		return ref, false
	}
	return ref, parseApp(parts[0], &ref)
}

func parseApp(text string, ref *berth.AppRef) bool {
	if !portForm.MatchString(text) {
		ref.App = text
		return slugForm.MatchString(text)
	}
	number, https := strings.CutSuffix(text, "s")
	port, err := strconv.Atoi(number)
	ref.Port, ref.HTTPS = port, https
	return err == nil && port <= 65535
}

// FormatPath is where a path app lives on its origin: /@OWNER/WORKSPACE/apps/SLUG/
// or /@OWNER/WORKSPACE.AGENT/apps/SLUG/.
func FormatPath(ref berth.AppRef) string {
	name := ref.Workspace
	if ref.Agent != "" {
		name += "." + ref.Agent
	}
	return strings.ToLower("/@" + ref.Owner + "/" + name + "/apps/" + ref.App + "/")
}

// ParsePath reads the app from an escaped path. rest is what is behind the
// slug, with its slash; empty when that is missing. Nothing in front of it may
// be escaped: each app has one path.
func ParsePath(escaped string) (ref berth.AppRef, rest string, ok bool) {
	text, at := strings.CutPrefix(escaped, "/@")
	parts := strings.SplitN(text, "/", 5)
	if !at || len(parts) < 4 || parts[2] != "apps" {
		return ref, "", false
	}
	ref.Owner, ref.Workspace, ref.App = parts[0], parts[1], parts[3]
	if name, agent, dotted := strings.Cut(parts[1], "."); dotted {
		if ref.Workspace, ref.Agent = name, agent; !berth.ValidAgentName(agent) {
			return ref, "", false
		}
	}
	if berth.ValidateName("", ref.Owner) != nil || berth.ValidateName("", ref.Workspace) != nil || !slugForm.MatchString(strings.ToLower(ref.App)) {
		return ref, "", false
	}
	ref.Owner, ref.Workspace, ref.Agent, ref.App = strings.ToLower(ref.Owner), strings.ToLower(ref.Workspace), strings.ToLower(ref.Agent), strings.ToLower(ref.App)
	if len(parts) == 5 {
		rest = "/" + parts[4]
	}
	return ref, rest, true
}

// prefix is the part of an escaped path in front of rest.
func prefix(escaped, rest string) string { return strings.TrimSuffix(escaped, rest) }
