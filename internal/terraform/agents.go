package terraform

import (
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lint"
)

// agents reads the coder_agent objects and everything that belongs to them.
// Two agents of one name, or an agent whose name cannot be one, are an error.
func agents(objects []object) ([]FoundAgent, error) {
	var found []FoundAgent
	for _, o := range objects {
		if o.kind != "coder_agent" || o.text("id") == "" {
			continue
		}
		found = append(found, FoundAgent{ID: o.text("id"), Token: o.text("token"), AgentSpec: spec(o, objects)})
	}
	if err := checkAgents(names(found)); err != nil {
		return found, err
	}
	for i := range found {
		env, err := environment(found[i].ID, found[i].Env, objects)
		if err != nil {
			return found, err
		}
		found[i].Env = env
	}
	return found, nil
}

func names(found []FoundAgent) []string {
	var list []string
	for _, a := range found {
		list = append(list, a.Name)
	}
	return list
}

func spec(o object, objects []object) berth.AgentSpec {
	s := berth.AgentSpec{
		Name: o.name, Address: o.address, Resource: computer(o, objects),
		OS: o.text("os"), Arch: o.text("arch"), Auth: o.text("auth"), Scope: o.text("api_key_scope"),
		Directory: o.text("dir"), Env: o.texts("env"),
		ConnectionTimeout: o.number("connection_timeout"), TroubleshootURL: o.text("troubleshooting_url"),
		MOTDFile: o.text("motd_file"), Order: o.number("order"),
		DisplayApps: displayApps(o), Scripts: ownScripts(o), Monitoring: monitoring(o),
	}
	if s.Auth != "" && s.Auth != "token" {
		s.InstanceID = machine(o, objects)
	}
	for _, m := range o.blocks("metadata") {
		s.Metadata = append(s.Metadata, berth.AgentMetadata{
			Key: m.text("key"), DisplayName: m.text("display_name"), Script: m.text("script"),
			Interval: m.number("interval"), Timeout: m.number("timeout"), Order: m.number("order"),
		})
	}
	for _, other := range objects {
		if other.text("agent_id") != o.text("id") {
			continue
		}
		switch other.kind {
		case "coder_external_agent":
			s.Outside = true
		case "coder_devcontainer":
			s.Containers = append(s.Containers, berth.DevContainer{ID: other.text("id"), Name: other.name, Folder: other.text("workspace_folder"),
				Config: other.text("config_path"), SubAgent: other.text("subagent_id")})
		case "coder_script":
			s.Scripts = append(s.Scripts, script(other))
		case "coder_app":
			s.Apps = append(s.Apps, app(other))
		}
	}
	return s
}

// displayApps are the built-in buttons that an agent shows. Without a block it
// is the plugin's default that stands in the state.
func displayApps(o object) []string {
	var shown []string
	for _, block := range o.blocks("display_apps") {
		for _, name := range []string{"vscode", "vscode_insiders", "web_terminal", "ssh_helper", "port_forwarding_helper"} {
			if block.yes(name) && !slices.Contains(shown, name) {
				shown = append(shown, name)
			}
		}
	}
	return shown
}

// monitoring is what an agent watches of its computer; nil: nothing.
func monitoring(o object) *berth.Monitoring {
	var m berth.Monitoring
	for _, block := range o.blocks("resources_monitoring") {
		for _, memory := range block.blocks("memory") {
			if memory.yes("enabled") {
				m.Memory = &berth.Threshold{Percent: memory.number("threshold")}
			}
		}
		for _, volume := range block.blocks("volume") {
			if volume.yes("enabled") {
				m.Volumes = append(m.Volumes, berth.Threshold{Path: volume.text("path"), Percent: volume.number("threshold")})
			}
		}
	}
	if m.Memory == nil && m.Volumes == nil {
		return nil
	}
	slices.SortFunc(m.Volumes, func(a, b berth.Threshold) int { return strings.Compare(a.Path, b.Path) })
	return &m
}

// ownScripts are the startup and shutdown script of the agent itself.
func ownScripts(o object) []berth.Script {
	var list []berth.Script
	if text := o.text("startup_script"); text != "" {
		list = append(list, berth.Script{
			ID: o.text("id") + "-startup", DisplayName: "Startup Script", Script: text, LogPath: "coder-startup-script.log",
			RunOnStart: true, StartBlocksLogin: o.text("startup_script_behavior") == "blocking",
		})
	}
	if text := o.text("shutdown_script"); text != "" {
		list = append(list, berth.Script{
			ID: o.text("id") + "-shutdown", DisplayName: "Shutdown Script", Script: text, LogPath: "coder-shutdown-script.log",
			RunOnStop: true,
		})
	}
	return list
}

func script(o object) berth.Script {
	return berth.Script{
		ID: o.text("id"), DisplayName: o.text("display_name"), Icon: o.text("icon"), Script: o.text("script"),
		LogPath: o.text("log_path"), Cron: o.text("cron"), RunOnStart: o.yes("run_on_start"), RunOnStop: o.yes("run_on_stop"),
		StartBlocksLogin: o.yes("start_blocks_login"), Timeout: o.number("timeout"),
	}
}

func app(o object) berth.App {
	a := berth.App{
		ID: o.text("id"), Slug: o.text("slug"), DisplayName: o.text("display_name"), URL: o.text("url"), Command: o.text("command"),
		Icon: o.text("icon"), External: o.yes("external"), Subdomain: o.yes("subdomain"), Share: o.text("share"),
		OpenIn: o.text("open_in"), Group: o.text("group"), Order: o.number("order"), Hidden: o.yes("hidden"), Tooltip: o.text("tooltip"),
	}
	if h := o.blocks("healthcheck"); len(h) > 0 {
		a.Health = &berth.Healthcheck{URL: h[0].text("url"), Interval: h[0].number("interval"), Threshold: h[0].number("threshold")}
	}
	return a
}

// environment joins the coder_env objects of an agent, in the order of their
// addresses, each by its merge strategy. What the agent says itself stays.
func environment(agentID string, own map[string]string, objects []object) (map[string]string, error) {
	joined, by, alone := map[string]string{}, map[string]string{}, map[string]bool{}
	for _, o := range objects {
		if o.kind != "coder_env" || o.text("agent_id") != agentID {
			continue
		}
		name, value, strategy := o.text("name"), o.text("value"), o.text("merge_strategy")
		before, set := joined[name]
		if alone[name] = alone[name] || strategy == "error"; set && alone[name] {
			return own, berth.Errorf(berth.Invalid, "%s and %s both set %s for their agent, and one of them has the merge_strategy \"error\"; remove one, or choose replace, append or prepend", by[name], o.address, name)
		}
		by[name] = o.address
		switch {
		case set && strategy == "append":
			value = before + ":" + value
		case set && strategy == "prepend":
			value += ":" + before
		}
		joined[name] = value
	}
	for name, value := range own {
		joined[name] = value
	}
	if len(joined) == 0 {
		return nil, nil
	}
	return joined, nil
}

// checkAgents checks the names of a workspace's agents.
func checkAgents(names []string) error {
	for i, name := range names {
		if wrong := lint.WrongAgentName(name, names[:i]); wrong != "" {
			return berth.Errorf(berth.Invalid, "%s", wrong)
		}
	}
	return nil
}
