package lint

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// part is a resource that a workspace is made of.
type part struct {
	module     *module
	block      *hcl.Block
	address    string
	persistent bool
	computer   bool // it runs an agent
	turned     bool // something of it depends on whether the workspace starts or stops
}

func (t *template) parts() []part {
	var list []part
	t.made(func(m *module, b *hcl.Block) {
		p := part{module: m, block: b, address: m.address(b), persistent: t.persistent(m, b)}
		for _, v := range values(b.Body) {
			from := t.origins(m, b, v.expr)
			p.computer = p.computer || from.any(func(o origin) bool { return o.is("resource.coder_agent") })
			p.turned = p.turned || from.any(isTransition)
		}
		list = append(list, p)
	})
	return list
}

// agents counts the agents, but for those whose computers are elsewhere.
func (t *template) agents() (all int, outside map[string]bool) {
	outside = map[string]bool{}
	for _, kind := range []string{"coder_external_agent", "coder_agent_instance"} {
		t.each("resource", kind, func(m *module, b *hcl.Block) {
			if a, ok := attributes(b.Body)["agent_id"]; ok {
				for o := range t.origins(m, b, a.Expr) {
					if o.is("resource.coder_agent") {
						outside[o.module.Key+"/"+o.block] = true
					}
				}
			}
		})
	}
	t.each("resource", "coder_agent", func(m *module, b *hcl.Block) {
		if t.planned(m.address(b)) && !outside[agentKey(m, b)] {
			all++
		}
	})
	return all, outside
}

func agentKey(m *module, b *hcl.Block) string { return m.Key + "/resource.coder_agent." + b.Labels[1] }

// checkShape looks at what a workspace consists of.
func checkShape(t *template) {
	waiting, outside := t.agents()
	if waiting == 0 && len(outside) == 0 {
		t.add(berth.FindingNote, "no-agent", nil, nil, nil, "", "the template has no agent (coder_agent), so nobody can open a session in its workspaces")
		return
	}
	parts := t.parts()
	if waiting == 0 {
		return
	}
	if len(parts) == 0 {
		m, b := t.first("coder_agent")
		t.add(berth.FindingWarning, "no-computer", m, nil, b, m.address(b), "there is an agent, but no resource that could be its computer: its workspaces would start and never be reached. Add one that runs %s.init_script, or a coder_external_agent", m.address(b))
		return
	}
	var computer *part
	persistent, turned := 0, false
	for i, p := range parts {
		if p.persistent {
			persistent++
		}
		if p.computer && computer == nil {
			computer = &parts[i]
		}
		turned = turned || p.turned
	}
	switch {
	case computer == nil:
	case persistent == len(parts) && !turned:
		t.add(berth.FindingWarning, "all-persistent", computer.module, nil, computer.block, computer.address,
			"a stop removes nothing: %s runs on in stopped workspaces. Give what only a running workspace needs count = data.coder_workspace.me.start_count", computer.address)
	case persistent == 0:
		t.add(berth.FindingWarning, "nothing-persistent", computer.module, nil, computer.block, computer.address,
			"nothing outlives a stop, so what people have made in a workspace is lost with it. Keep the home in a volume or disk without count, and mount that into %s", computer.address)
	}
}

func (t *template) first(label string) (*module, *hcl.Block) {
	var in *module
	var block *hcl.Block
	t.each("resource", label, func(m *module, b *hcl.Block) {
		if block == nil {
			in, block = m, b
		}
	})
	return in, block
}

// checkInitScripts looks for agents that nothing starts.
func checkInitScripts(t *template) {
	used, known := map[string]bool{}, map[string]bool{}
	parts := 0
	t.made(func(m *module, b *hcl.Block) {
		parts++
		for _, v := range values(b.Body) {
			for o := range t.origins(m, b, v.expr) {
				if o.is("resource.coder_agent") {
					key := o.module.Key + "/" + o.block
					used[key] = used[key] || o.attr == "init_script" || o.attr == ""
					known[key] = known[key] || o.attr == "token"
				}
			}
		}
		for _, inner := range nested(b.Body, "provisioner", "type") {
			for _, v := range values(inner.Body) {
				for o := range t.origins(m, b, v.expr) {
					if o.is("resource.coder_agent") {
						used[o.module.Key+"/"+o.block] = true
					}
				}
			}
		}
	})
	if parts == 0 {
		return // said otherwise
	}
	external := map[string]bool{}
	t.each("resource", "coder_external_agent", func(m *module, b *hcl.Block) {
		if a, ok := attributes(b.Body)["agent_id"]; ok {
			for o := range t.origins(m, b, a.Expr) {
				external[o.module.Key+"/"+o.block] = true
			}
		}
	})
	t.each("resource", "coder_agent", func(m *module, b *hcl.Block) {
		key, address := agentKey(m, b), m.address(b)
		switch {
		case used[key] || external[key] || !t.planned(address):
		case known[key]:
			t.add(berth.FindingNote, "init-script-unused", m, nil, b, address,
				"%s.init_script is not used, only the token: the agent connects if the image brings one and starts it by itself", address)
		default:
			t.add(berth.FindingWarning, "init-script-unused", m, nil, b, address,
				"nothing runs %s.init_script, so the agent never starts; make it the command of the computer, such as [\"sh\", \"-c\", %s.init_script]", address, address)
		}
	})
}

// keepers are resources that people keep data in.
var keepers = map[string]bool{
	"berth_directory": true, "docker_volume": true,
	"kubernetes_persistent_volume_claim": true, "kubernetes_persistent_volume_claim_v1": true,
	"aws_ebs_volume": true, "google_compute_disk": true, "azurerm_managed_disk": true, "digitalocean_volume": true,
	"hcloud_volume": true, "openstack_blockstorage_volume_v3": true, "linode_volume": true,
}

// checkData looks for volumes that do not outlive a stop.
func checkData(t *template) {
	t.made(func(m *module, b *hcl.Block) {
		if keepers[b.Labels[0]] && !t.persistent(m, b) {
			t.add(berth.FindingWarning, "ephemeral-data", m, nil, b, m.address(b),
				"%s is removed at every stop, with all that is in it; leave its count out if anybody should find it again", m.address(b))
		}
	})
}

// checkProvisioners looks for commands that do not run where their author thinks.
func checkProvisioners(t *template) {
	say := func(m *module, b *hcl.Block, at *hcl.Range) {
		t.add(berth.FindingNote, "runs-on-runner", m, at, b, m.address(b),
			"this command runs on the machine that runs Terraform, with its tools and as its user, and not in the workspace; for that, there is coder_script")
	}
	t.each("resource", "", func(m *module, b *hcl.Block) {
		for _, p := range nested(b.Body, "provisioner", "type") {
			if p.Labels[0] == "local-exec" {
				say(m, b, &p.DefRange)
			}
		}
	})
	t.each("data", "external", func(m *module, b *hcl.Block) { say(m, b, nil) })
}

// checkSecrets looks for values that everybody reads who may see the files.
func checkSecrets(t *template) {
	for _, b := range t.root.Of("variable", "") {
		if source.Literal(b.Body, "sensitive") == "true" && strings.TrimSpace(source.Literal(b.Body, "default")) != "" {
			t.add(berth.FindingWarning, "secret-default", t.root, nil, b, "",
				"the variable %s is sensitive, but its value stands in the template's files; leave the default out and give it at push with --variable %s=…", b.Labels[0], b.Labels[0])
		}
	}
}
