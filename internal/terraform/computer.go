package terraform

import "slices"

// depends tells whether o needs other, directly or not.
func (o object) depends(other object) bool { return slices.Contains(o.needs, other.config) }

// computer finds the object that an agent runs in: the nearest one that is no
// coder_* and needs the agent, or that the agent was tied to by a
// coder_agent_instance. Of several as near, the first by address.
func computer(agent object, objects []object) string {
	var users []object
	for _, o := range objects {
		if !o.coder() && o.depends(agent) {
			users = append(users, o)
		}
	}
	if near := first(agent, users, func(o, other object) bool { return o.depends(other) }); near != "" {
		return near
	}
	// A machine that learns of its agent in other ways, for instance by its
	// identity in a cloud, does not depend on it.
	for _, tie := range objects {
		if tie.kind != "coder_agent_instance" || tie.text("agent_id") != agent.text("id") {
			continue
		}
		var machines []object
		for _, o := range objects {
			if !o.coder() && tie.depends(o) {
				machines = append(machines, o)
			}
		}
		return first(agent, machines, func(o, other object) bool { return other.depends(o) })
	}
	return ""
}

// instanceIDs are the attributes that hold a machine's id in its cloud.
var instanceIDs = map[string]string{
	"google_compute_instance": "instance_id", "aws_instance": "id", "aws_spot_instance_request": "spot_instance_id",
	"azurerm_linux_virtual_machine": "virtual_machine_id", "azurerm_windows_virtual_machine": "virtual_machine_id",
}

// machine is the id of the machine that an agent proves itself by: what a
// coder_agent_instance says, or the id of the machine that it runs in.
func machine(agent object, objects []object) string {
	for _, tie := range objects {
		if tie.kind == "coder_agent_instance" && tie.text("agent_id") == agent.text("id") {
			return tie.text("instance_id")
		}
	}
	var machines []object
	for _, o := range objects {
		if instanceIDs[o.kind] != "" && o.depends(agent) {
			machines = append(machines, o)
		}
	}
	near := first(agent, machines, func(o, other object) bool { return o.depends(other) })
	for _, o := range machines {
		if o.address == near {
			return o.text(instanceIDs[o.kind])
		}
	}
	return ""
}

// first picks, of the candidates that are not farther than another, the one
// with the agent's own instance key, else the first.
func first(agent object, candidates []object, farther func(o, other object) bool) string {
	var near []object
	for _, o := range candidates {
		if !slices.ContainsFunc(candidates, func(other object) bool { return other.config != o.config && farther(o, other) }) {
			near = append(near, o)
		}
	}
	if agent.key != "" {
		for _, o := range near {
			if o.key == agent.key {
				return o.address
			}
		}
	}
	if len(near) == 0 {
		return ""
	}
	return near[0].address
}
