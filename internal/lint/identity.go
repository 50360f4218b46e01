package lint

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// isIdentity tells whether a value is another after a rename or a claim.
func isIdentity(o origin) bool {
	if o.is("data.coder_workspace_owner") {
		return true
	}
	return o.is("data.coder_workspace") && (o.attr == "name" || o.attr == "is_prebuild" || o.attr == "is_prebuild_claim" || strings.HasPrefix(o.attr, "owner"))
}

// maybeIdentity is isIdentity of what may be read of an object as a whole.
func maybeIdentity(o origin) bool {
	return isIdentity(o) || o.is("data.coder_workspace") && o.attr == ""
}

// naming are attributes that few plugins can change in place: what a thing is
// called, or where it is.
var naming = map[string]bool{
	"name": true, "name_prefix": true, "generate_name": true, "namespace": true, "hostname": true, "computer_name": true,
	"bucket": true, "bucket_prefix": true, "identifier": true, "identifier_prefix": true, "cluster_identifier": true,
	"key_name": true, "creation_token": true, "path": true, "filename": true, "user_data": true,
}

// Doubts are the blocks, by their addresses, of which it is worth to ask the
// plugins what would be replaced if a workspace had another name and owner:
// those that are kept, or wait in a pool, and are made from them.
func Doubts(modules []source.Module, plans Plans) []string {
	if len(modules) == 0 {
		return nil
	}
	t := newTemplate(modules, &plans)
	pools := slices.ContainsFunc(plans.Presets, func(p berth.Preset) bool { return p.Instances > 0 })
	var list []string
	t.made(func(m *module, b *hcl.Block) {
		if !pools && !t.persistent(m, b) {
			return
		}
		for _, v := range values(b.Body) {
			if t.origins(m, b, v.expr).any(maybeIdentity) {
				list = append(list, m.address(b))
				return
			}
		}
	})
	return list
}

// forced is an attribute of which a plan says that a change makes another
// object or, where no plan was asked, that probably does.
type forced struct {
	path  string // "name", "metadata.name"
	at    *hcl.Range
	from  string // what it is made from: data.coder_workspace.me.name
	known bool
}

// forces lists the attributes of a block that hold somebody's identity and
// replace it. likely tells of an attribute whether it replaces where no plugin
// has said.
func (t *template) forces(m *module, b *hcl.Block, likely func(v value) bool) []forced {
	var said []string
	asked := t.plans != nil && t.plans.Replaced != nil
	if asked {
		said = t.plans.Replaced[m.address(b)]
	}
	kept := held(b)
	var list []forced
	covered := map[string]bool{}
	for _, v := range values(b.Body) {
		path := strings.Join(v.path, ".")
		known := slices.ContainsFunc(said, func(p string) bool { return matches(p, v.path) })
		if kept.has(v.path[0]) || !known && (asked || !likely(v)) {
			continue
		}
		from := t.origins(m, b, v.expr).first(isIdentity)
		if from == "" && !known {
			continue
		}
		for _, p := range said {
			if matches(p, v.path) {
				covered[p] = true
			}
		}
		at := v.expr.Range()
		list = append(list, forced{path: path, at: &at, from: from, known: known})
	}
	for _, p := range said {
		if !covered[p] { // made in a way that the files do not show
			list = append(list, forced{path: p, known: true})
		}
	}
	return list
}

// matches tells whether a plan's path, such as metadata[0].name, is that of an
// attribute, or one within it.
func matches(planned string, path []string) bool {
	var names []string
	for _, step := range strings.Split(planned, ".") {
		name, _, _ := strings.Cut(step, "[")
		names = append(names, name)
	}
	if len(names) < len(path) {
		return slices.Equal(names, path[:len(names)])
	}
	return slices.Equal(names[:len(path)], path)
}

func (o origins) first(is func(origin) bool) string {
	var list []string
	for each := range o {
		if is(each) {
			name := each.block
			if each.attr != "" {
				name += "." + each.attr
			}
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return slices.Min(list)
}

// checkIdentity looks for what a rename or another owner would replace though it
// is kept.
func checkIdentity(t *template) {
	t.made(func(m *module, b *hcl.Block) {
		if !t.persistent(m, b) {
			return
		}
		for _, f := range t.forces(m, b, func(v value) bool { return naming[v.name()] }) {
			t.add(berth.FindingWarning, "persistent-identity", m, f.at, b, m.address(b),
				"%s outlives stops, but its %s %s: after a rename of the workspace, or for another owner, it would have to be replaced by an empty one, so such builds are refused. "+
					"Make it from data.coder_workspace.me.id, or keep it with lifecycle { ignore_changes = [%s] }", m.address(b), f.path, f.because(), top(f.path))
		}
	})
}

func (f forced) because() string {
	if f.from == "" {
		return "is another for each name and owner"
	}
	return "is made from " + f.from
}

func top(path string) string {
	name, _, _ := strings.Cut(path, ".")
	name, _, _ = strings.Cut(name, "[")
	return name
}

// fixed are attributes of computers that cannot be changed in place, where no
// plugin has said.
var fixed = map[string][]string{
	"docker_container": {"env", "labels", "hostname", "name", "entrypoint", "command", "working_dir", "user"},
	"berth_process":    {"command", "env"},
}

// checkPools looks for computers that a claim would replace: who claims one
// would wait for another.
func checkPools(t *template) {
	pool := ""
	for _, p := range t.presets() {
		if p.Instances > 0 {
			pool = p.Name
		}
	}
	if pool == "" {
		return
	}
	t.made(func(m *module, b *hcl.Block) {
		if t.persistent(m, b) {
			return
		}
		likely := func(v value) bool {
			return naming[v.name()] && v.name() != "user_data" || slices.Contains(fixed[b.Labels[0]], v.path[0])
		}
		for _, f := range t.forces(m, b, likely) {
			t.add(berth.FindingWarning, "pool-identity", m, f.at, b, m.address(b),
				"the preset %q keeps a pool, but the %s of %s %s and cannot be changed in place: a claimed workspace would get another computer under the hands of its new owner. "+
					"Take it out (the environment inside has the names anyway), or add lifecycle { ignore_changes = [%s] }", pool, f.path, m.address(b), f.because(), top(f.path))
		}
	})
}

// ignored are the attributes that lifecycle.ignore_changes names.
type ignored struct {
	all   bool
	names []string
	at    *hcl.Range
}

func (i ignored) has(name string) bool { return i.all || slices.Contains(i.names, name) }

func held(b *hcl.Block) (i ignored) {
	for _, l := range nested(b.Body, "lifecycle") {
		a, ok := attributes(l.Body)["ignore_changes"]
		if !ok {
			continue
		}
		i.at = &a.Range
		if hcl.ExprAsKeyword(a.Expr) == "all" || source.Text(a.Expr) == "all" {
			i.all = true
			continue
		}
		list, _ := hcl.ExprList(a.Expr)
		for _, e := range list {
			if path, found := hcl.AbsTraversalForExpr(e); !found.HasErrors() {
				i.names = append(i.names, source.Names(path)[0])
			}
		}
	}
	return i
}

// checkFrozen looks for tokens that a computer cannot get anew.
func checkFrozen(t *template) {
	t.made(func(m *module, b *hcl.Block) {
		kept := held(b)
		if kept.at == nil {
			return
		}
		for _, v := range values(b.Body) {
			if !kept.has(v.path[0]) || !t.origins(m, b, v.expr).any(func(o origin) bool {
				return o.is("resource.coder_agent") && (o.attr == "token" || o.attr == "init_script" || o.attr == "")
			}) {
				continue
			}
			if t.persistent(m, b) {
				t.add(berth.FindingWarning, "token-frozen", m, kept.at, b, m.address(b),
					"ignore_changes keeps %s of %s as it was made, and the agent's token is in it: after a change of the token or of the server's address the agent can never connect again. Leave %s out of ignore_changes; the token stays the same from build to build", v.path[0], m.address(b), v.path[0])
			} else {
				t.add(berth.FindingNote, "token-frozen", m, kept.at, b, m.address(b),
					"ignore_changes keeps %s of %s, with the agent's token in it: another token or address of the server gets there only by a stop and a start. It is not needed for the token, which stays the same from build to build", v.path[0], m.address(b))
			}
			return
		}
	})
}

// moving are functions that give something else each time.
var moving = []string{"timestamp", "plantimestamp", "uuid", "bcrypt"}

func checkMoving(t *template) {
	t.made(func(m *module, b *hcl.Block) {
		if !t.persistent(m, b) {
			return
		}
		kept := held(b)
		for _, v := range values(b.Body) {
			if kept.has(v.path[0]) {
				continue
			}
			from := t.origins(m, b, v.expr)
			if i := slices.IndexFunc(moving, func(name string) bool {
				return from.any(func(o origin) bool { return o.is("function") && o.attr == name })
			}); i >= 0 {
				at := v.expr.Range()
				t.add(berth.FindingWarning, "changes-every-build", m, &at, b, m.address(b),
					"%s() gives %s another %s in every build, so each start changes or replaces what should be kept; use data.coder_workspace.me.id, or add lifecycle { ignore_changes = [%s] }",
					moving[i], m.address(b), strings.Join(v.path, "."), v.path[0])
			}
		}
	})
}

// checkAnswersInNames looks for answers that cannot be changed though the
// template says that they can.
func checkAnswersInNames(t *template) {
	t.made(func(m *module, b *hcl.Block) {
		if !t.persistent(m, b) {
			return
		}
		kept := held(b)
		for _, v := range values(b.Body) {
			if !naming[v.name()] || kept.has(v.path[0]) {
				continue
			}
			for o := range t.origins(m, b, v.expr) {
				asked := o.module.blocks[o.block]
				if o.is("data.coder_parameter") && o.attr == "value" && asked != nil && source.Literal(asked.Body, "mutable") == "true" {
					at := v.expr.Range()
					t.add(berth.FindingWarning, "answer-in-name", m, &at, b, m.address(b),
						"%s outlives stops, and its %s is made from %s, which may be answered anew: with another answer it would have to be replaced, so that start is refused. Make the parameter immutable, or the name from data.coder_workspace.me.id",
						m.address(b), strings.Join(v.path, "."), o.block)
				}
			}
		}
	})
}
