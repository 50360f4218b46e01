package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
)

// sshSuffix ends the host names that stand for workspaces, unless people say
// otherwise.
const sshSuffix = "berth"

// sshSetup is how OpenSSH reaches workspaces. The section keeps it as JSON in a
// comment.
type sshSetup struct {
	Suffix  string   `json:"hostname_suffix,omitempty"` // of host names, without its dot
	Prefix  string   `json:"ssh_host_prefix,omitempty"` // of host names; both may be set
	Wait    string   `json:"wait,omitempty"`
	NoStart bool     `json:"disable_autostart,omitempty"`
	Options []string `json:"ssh_options,omitempty"` // lines of OpenSSH
}

func (o *sshSetup) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Suffix, "hostname-suffix", sshSuffix, "`suffix` of the host names, behind a dot")
	f.StringVar(&o.Prefix, "ssh-host-prefix", "", "`prefix` of further host names, such as berth.")
	f.StringVar(&o.Wait, "wait", "auto", "let connections wait for start scripts: `yes, no or auto`")
	f.BoolVar(&o.NoStart, "disable-autostart", false, "let connections start no workspace that is stopped")
	f.StringArrayVarP(&o.Options, "ssh-option", "o", nil, "another `option` for the section, for example 'ForwardAgent yes'; may be repeated")
}

// over is o where its flags were given, and else what was before.
func (o sshSetup) over(before sshSetup, given func(string) bool) sshSetup {
	if given("hostname-suffix") {
		before.Suffix = o.Suffix
	}
	if given("ssh-host-prefix") {
		before.Prefix = o.Prefix
	}
	if given("wait") {
		before.Wait = o.Wait
	}
	if given("disable-autostart") {
		before.NoStart = o.NoStart
	}
	if given("ssh-option") {
		before.Options = o.Options
	}
	return before
}

// hostPart is what may stand around the name of a workspace in a host name.
var hostPart = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)

func (o sshSetup) check() error {
	switch {
	case o.Suffix != "" && !hostPart.MatchString(o.Suffix):
		return usagef("--hostname-suffix %q: give letters, digits, dots and dashes, such as %s", o.Suffix, sshSuffix)
	case o.Prefix != "" && !hostPart.MatchString(strings.TrimRight(o.Prefix, ".-")):
		return usagef("--ssh-host-prefix %q: give letters, digits, dots and dashes, such as berth.", o.Prefix)
	case o.Suffix == "" && o.Prefix == "":
		return usagef("give a --hostname-suffix or a --ssh-host-prefix: without either, every host would be a workspace")
	case o.Wait != "" && !slices.Contains([]string{"yes", "no", "auto"}, o.Wait):
		return usagef("--wait: give yes, no or auto")
	}
	for _, line := range o.Options {
		if strings.TrimSpace(line) == "" || strings.ContainsAny(line, "\n\r") {
			return usagef("--ssh-option %q is not an option: give it like 'ForwardAgent yes'", line)
		}
	}
	return nil
}

// host is the host name of a target, as hostOf has it.
func (o sshSetup) host(name string) string {
	if o.Suffix != "" {
		return name + "." + o.Suffix
	}
	return o.Prefix + name
}

// patterns are the hosts that the section is for.
func (o sshSetup) patterns() string {
	var all []string
	if o.Suffix != "" {
		all = append(all, "*."+o.Suffix)
	}
	if o.Prefix != "" {
		all = append(all, o.Prefix+"*")
	}
	return strings.Join(all, " ")
}

// proxyFlags are those of berth ssh --stdio.
func (o sshSetup) proxyFlags() string {
	var b strings.Builder
	if o.Suffix != "" {
		fmt.Fprintf(&b, " --hostname-suffix %s", o.Suffix)
	}
	if o.Prefix != "" {
		fmt.Fprintf(&b, " --ssh-host-prefix %s", o.Prefix)
	}
	if o.Wait != "" && o.Wait != "auto" {
		fmt.Fprintf(&b, " --wait %s", o.Wait)
	}
	if o.NoStart {
		b.WriteString(" --disable-autostart")
	}
	return b.String()
}

// setupMark begins the comment that keeps the options.
const setupMark = "# options: "

// sshSection makes the section's text. The far side's key is new with every
// start of an agent and proves nothing: the connection beneath proves it.
func (a *app) sshSection(o sshSetup) (string, error) {
	if err := o.check(); err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	dir, err := a.configDir()
	if err != nil {
		return "", err
	}
	for _, s := range []string{self, dir} {
		if strings.ContainsAny(s, "\n\r\x00") {
			return "", berth.Errorf(berth.Invalid, "%q cannot stand in a configuration of OpenSSH", s)
		}
	}
	kept, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	lines := []string{
		sectionBegin,
		setupMark + string(kept),
		"Host " + o.patterns(),
		fmt.Sprintf("\tProxyCommand %s --config-dir %s ssh --stdio%s -- '%%h'", shellWord(self), shellWord(dir), o.proxyFlags()),
		"\tStrictHostKeyChecking no",
		"\tUserKnownHostsFile /dev/null",
		"\tGlobalKnownHostsFile /dev/null",
		"\tLogLevel ERROR",
	}
	for _, line := range o.Options {
		lines = append(lines, "\t"+strings.TrimSpace(line))
	}
	return strings.Join(append(lines, sectionEnd), "\n") + "\n", nil
}

// previousSetup is the setup of the section in text, or the usual one.
func previousSetup(text string) sshSetup {
	usual := sshSetup{Suffix: sshSuffix, Wait: "auto"}
	begin, end, err := findSection(text)
	if err != nil || begin < 0 {
		return usual
	}
	for line := range strings.Lines(text[begin:end]) {
		if kept, ok := strings.CutPrefix(strings.TrimSpace(line), setupMark); ok {
			var o sshSetup
			if json.Unmarshal([]byte(kept), &o) == nil && o.check() == nil {
				return o
			}
		}
	}
	return usual
}

// targetOfHost makes a target of a host name that ends in .suffix, or begins
// with prefix. Without both, s is a target already.
func targetOfHost(s, prefix, suffix string) string {
	if prefix == "" && suffix == "" {
		return s
	}
	if cut := len(s) - len(suffix) - 1; suffix != "" && cut > 0 && strings.EqualFold(s[cut:], "."+suffix) {
		s = s[:cut]
	} else if cut := len(prefix); cut > 0 && len(s) > cut && strings.EqualFold(s[:cut], prefix) {
		s = s[cut:]
	}
	return strings.Replace(s, "--", "/", 1)
}

// hostOf is the host name that stands for a target.
func (o sshSetup) hostOf(t target) string {
	name := t.name
	if t.owner != "me" {
		name = t.owner + "--" + name
	}
	if t.agent != "" {
		name += "." + t.agent
	}
	return o.host(name)
}
