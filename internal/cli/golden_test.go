package cli

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// What a person sees. Changes show as diffs of the files in testdata.
func TestGolden(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serveWeb("stop", "succeeded", "")
	db := web()
	db.Name, db.Status, db.Healthy, db.Outdated, db.LastUsedAt = "db", "stopped", false, true, nil
	ill := web()
	ill.Name, ill.Owner, ill.Healthy, ill.Health = "ill", "bo", false, "the agent main lost its connection"
	waiting := web()
	waiting.Name, waiting.Status, waiting.Build.Waits = "new", "pending", "all slots are busy: 4 of 4"
	f.answer("GET /workspaces", api.Page[api.Workspace]{Items: []api.Workspace{web(), db, ill, waiting}})
	bad := web()
	bad.Name, bad.Status, bad.Healthy, bad.Outdated, bad.Agents, bad.Build.Resources = "bad", "failed", false, true, nil, nil
	bad.Build.Status, bad.Build.Error = "failed", "Error: no such image\n\n  on main.tf line 30, in resource \"docker_container\" \"web\":"
	f.answer("GET /users/me/workspaces/bad", bad)
	full := web().Build
	full.Timings = []berth.Timing{{Stage: "plan", Start: longAgo, End: longAgo.Add(1e9)}, {Stage: "apply", Resource: "docker_volume.home", Action: "create", Start: longAgo, End: longAgo.Add(2e8)}}
	f.answer("GET /workspaces/"+web().ID+"/builds/3", full)
	f.answer("GET /workspaces/"+web().ID+"/builds/2/timings", someTimings())
	f.answer("GET /workspaces/"+web().ID+"/schedule/explain", someExplanation())
	lost := full
	lost.Status, lost.Unreachable, lost.CompletedAt, lost.Number = "running", true, nil, 4
	imported := api.Build{ID: "i", Transition: "import", Template: "docker", Version: "calm-otter", Status: "failed", ErrorCode: "terraform", Initiator: "ana", CreatedAt: longAgo}
	f.answer("GET /workspaces/"+web().ID+"/builds", api.Page[api.Build]{Items: []api.Build{lost, full, imported}})
	f.answer("GET /users/me", api.User{Username: "ana", Email: "ana@example.com", Roles: []string{"owner", "member"}})
	f.answer("GET /tokens", api.Page[api.Token]{Items: []api.Token{{ID: "t1", Name: "ci", Kind: "api", CreatedAt: longAgo, ExpiresAt: longAgo}}})
	tpl := api.Template{Name: "docker", Organization: "default", ActiveVersion: "calm-otter", Description: "a container", Workspaces: 2, CreatedBy: "ana", CreatedAt: longAgo, UpdatedAt: longAgo}
	tpl.Policy = api.TemplatePolicy{DefaultTTL: 8 * 3600, ActivityBump: 3600, AutostopDays: []string{"saturday"}, AutostopWeeks: 2, AutostartDays: make([]string, 7),
		FailureTTL: 90 * 60, DormancyThreshold: 90 * 24 * 3600, DormancyAutoDeletion: 30 * 24 * 3600, AllowUserAutostart: true, AllowUserAutostop: true,
		AllowUserCancel: true, RequireActive: true, Rollout: "when-idle"}
	version := api.TemplateVersion{Name: "calm-otter", Active: true, Status: "succeeded", Message: "first", CreatedBy: "ana", CreatedAt: longAgo, Agents: []string{"main"},
		Notes:      []string{"the README is empty"},
		Parameters: []berth.Parameter{{Name: "cpus", Type: "number", Default: "2", Mutable: true, Options: []berth.ParameterOption{{Name: "two", Value: "2"}, {Name: "four", Value: "4"}}}, {Name: "repo", Type: "string", Required: true, Description: "what to clone"}},
		Presets:    []berth.Preset{{Name: "large", Default: true, Description: "four cpus"}},
		Resources:  []berth.TemplateResource{{Address: "docker_volume.home", Persistent: true}, {Address: "docker_container.web"}}}
	f.answer("GET /templates", api.Page[api.Template]{Items: []api.Template{tpl}})
	f.answer("GET /organizations/default/templates/docker", tpl)
	f.answer("GET /organizations/default/templates/docker/versions/active", version)
	f.answer("GET /organizations/default/templates/docker/versions", api.Page[api.TemplateVersion]{Items: []api.TemplateVersion{version, {Name: "old", Status: "failed", CreatedBy: "bo", CreatedAt: longAgo}}})
	f.answer("GET /workspaces/"+web().ID+"/state/versions", api.Page[api.StateRevision]{Items: []api.StateRevision{{Serial: 5, Current: true, CreatedBy: "ana", Size: 10, CreatedAt: longAgo, Lineage: "l"}, {Serial: 4, Build: 3, Size: 9, CreatedAt: longAgo, Lineage: "l"}}})

	f.answer("GET /roles", api.Page[api.Role]{Items: []api.Role{
		{Name: "owner", Of: "site", About: "May do everything.", Rights: []api.Right{{Kind: "user", Actions: []string{"create", "read"}, Whose: "all"}}},
		{Name: "owner", Of: "organization", About: "Manages one organization.", Rights: []api.Right{{Kind: "workspace", Actions: []string{"start", "stop"}, Whose: "of the organization"}}},
		{Name: "use", Of: "share", About: "Use it.", Rights: []api.Right{{Kind: "template", Actions: []string{"use"}, Whose: "what is shared with them"}}}}})
	left := 10
	f.answer("GET /organizations/default/members/me/quota", api.Quota{Organization: "default", User: "ana", Budget: api.Allowance{Amount: 40}, Spent: 30, Left: &left,
		Groups:     []api.GroupBudget{{Group: "Everyone", Allowance: api.Allowance{Amount: 10}}, {Group: "ml", Allowance: api.Allowance{Amount: 30}}},
		Workspaces: api.WorkspaceCount{Count: 2, Most: 5}, Running: api.WorkspaceCount{Count: 1, MostHere: 9},
		Costs: []api.Spending{{Workspace: "web", Template: "docker", DailyCost: 30, Running: true}, {Workspace: "old", Template: "docker"}}})
	for name, args := range map[string]string{
		"quota":      "quota",
		"roles_list": "roles list", "roles_show": "roles show owner",
		"list": "list", "list_all": "list --all", "show": "show web", "show_failed": "show bad", "stop": "stop web", "stop_no_wait": "stop web --no-wait",
		"builds_list": "builds list web", "builds_show": "builds show web 3", "whoami": "whoami", "tokens_list": "tokens list",
		"templates_list": "templates list", "templates_show": "templates show docker", "templates_versions": "templates versions docker",
		"explain": "schedule explain web", "explain_facts": "schedule explain web --facts",
		"show_timings":   "show web --timings --build 2",
		"state_versions": "state versions web",
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, code := f.run(t, strings.Fields(args)...)
			text := fmt.Sprintf("$ berth %s\n%s", args, out)
			if errs != "" {
				text += "--- standard error\n" + errs
			}
			text = when2020.ReplaceAllString(text, "15 Jan 2020 HH:MM")
			text = took.ReplaceAllString(strings.ReplaceAll(text, f.URL, "http://server"), "(TOOK)")
			golden(t, name, fmt.Sprintf("%s--- exit %d\n", text, code))
		})
	}
}

func someTimings() api.BuildTimings {
	at := func(ms int) time.Time { return longAgo.Add(time.Duration(ms) * time.Millisecond) }
	end := func(ms int) *time.Time { e := at(ms); return &e }
	return api.BuildTimings{Number: 2, Transition: "start", Status: "succeeded", CreatedAt: longAgo, Timings: []api.Span{
		{Stage: "wait", Start: at(0), End: end(300), Critical: true},
		{Stage: "init", Start: at(300), End: end(420), Critical: true},
		{Stage: "plan", Start: at(420), End: end(1000), Critical: true},
		{Stage: "apply", Start: at(1010), End: end(4000), Critical: true},
		{Stage: "apply", Resource: "docker_volume.home", Action: "create", Start: at(1020), End: end(1200)},
		{Stage: "apply", Resource: "docker_container.dev", Action: "create", Start: at(1200), End: end(3950), Critical: true},
		{Stage: "connect", Agent: "main", Start: at(4000), End: end(5500), Critical: true},
		{Stage: "start", Agent: "main", Start: at(5500), End: end(9000), Critical: true},
		{Stage: "start", Agent: "main", Resource: "dotfiles", Action: "dotfiles", Status: "warning", Start: at(5510), End: end(6000)},
		{Stage: "start", Agent: "main", Resource: "install", Action: "script", Status: "failed", ExitCode: 1, Start: at(5520), End: end(9000), Critical: true},
	}}
}

func someExplanation() api.Explanation {
	then := time.Date(2020, 1, 15, 12, 0, 0, 0, time.UTC)
	return api.Explanation{At: then, Zone: "Europe/Dublin", Now: []string{
		"It stops on Monday 16 November 17:00 (Europe/Dublin): 8 h after its start. Each use moves that to 1 h later, never past Tuesday 17 November 02:00 (Europe/Dublin): a stop is required on Tuesday.",
		"It was last seen in use at Monday 16 November 10:00 (Europe/Dublin) (ssh)."},
		Coming: []api.Coming{
			{At: then.Add(8 * time.Hour), Do: "stop", Rule: "ttl", Why: "Its time to live is over.", Unless: "somebody uses it"},
			{At: then.Add(9 * time.Hour), Do: "start", Rule: "schedule", Why: "Its schedule starts it at 09:30 every day."}},
		Acts: []api.Act{{At: then.Add(-time.Hour), Did: "stop", Rule: "auto-off", Why: "Nobody used it for 2 h.", Build: 2,
			Facts: map[string]any{"run": 1, "due": "2020-01-15T10:00:00Z", "evidence": map[string]any{"kind": "ssh", "at": "2020-01-15T08:00:00Z"}}},
			{At: then.Add(-2 * time.Hour), Did: "put-off", Rule: "auto-off", Why: "Its agents do not answer."}}}
}

func TestGoldenHelp(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var all strings.Builder
	for _, c := range [][]string{{}, {"create"}, {"ssh"}, {"config-ssh"}, {"start"}, {"login"}, {"templates", "push"}} {
		out, errs, code := f.run(t, append(c, "--help")...)
		if code != 0 || errs != "" {
			t.Errorf("%v: exit %d %s", c, code, errs)
		}
		fmt.Fprintf(&all, "$ berth %s\n%s\n", strings.Join(append(c, "--help"), " "), out)
	}
	golden(t, "help", all.String())
}

func TestGoldenRefused(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	b, ended := building("start", "failed", "The persistence rule refuses this build.")
	ended.ErrorCode = "persistence"
	ended.Refused = []berth.Refusal{{Address: `berth_directory.home["a"]`, Action: "replace", Because: []string{"name", "size"}}, {Address: "docker_volume.home", Action: "delete"}}
	f.answer("GET /users/me/workspaces/web", web())
	f.answer("POST /workspaces/"+web().ID+"/builds", b)
	f.events("GET /builds/"+b.ID+"/events", "build", ended)
	out, errs, code := f.run(t, "start", "web", "--parameter", "cpus=8")
	golden(t, "start_refused", fmt.Sprintf("%s--- standard error\n%s--- exit %d\n", out, errs, code))
}

// when2020 is a time as the zone of this machine shows it.
var when2020 = regexp.MustCompile(`1[456] Jan 2020 \d\d:\d\d`)

var took = regexp.MustCompile(`\([0-9.]+m?s\)`)

// A module's command may be a whole script; the table stays one to read.
func TestShort(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"top": "top", "12345": "12345", "123456": "1234…", "äöüßä": "äöüßä", "äöüßäö": "äöüß…"} {
		if got := short(given, 5); got != want {
			t.Errorf("%q is shown as %q", given, got)
		}
	}
}
