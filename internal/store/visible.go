package store

import (
	"strings"

	"github.com/berthdev/berth"
)

// columns are the columns of a list that berth.Visible looks at; owner and
// organization are empty where things have none, kind and id where they are not
// shared. Shares of workspaces count where their organization lets people share.
type columns struct{ kind, id, organization, owner string }

// visible bounds a list to what somebody may see.
func (w *where) visible(c columns, v berth.Visible) {
	if !v.All {
		w.add(w.seen(c, v))
	}
}

// seen is the condition that somebody may see a row.
func (w *where) seen(c columns, v berth.Visible) string {
	if v.All {
		return "TRUE"
	}
	var any []string
	if v.Own != "" && c.owner != "" {
		any = append(any, c.owner+" = "+w.arg(v.Own))
	}
	if len(v.Organizations) > 0 && c.organization != "" {
		any = append(any, c.organization+" IN ("+args(w, v.Organizations)+")")
	}
	if c.kind != "" && len(v.Grantees) > 0 && len(v.Roles) > 0 && len(v.In) > 0 {
		ids := make([]string, len(v.Grantees))
		for i, g := range v.Grantees {
			ids[i] = g.ID // ids of users and of groups never meet
		}
		in := args(w, v.In)
		if c.kind == "workspace" {
			in = "SELECT s.id FROM organizations s WHERE s.sharing AND s.id IN (" + in + ")"
		}
		any = append(any, c.organization+" IN ("+in+") AND "+c.id+" IN (SELECT x.target_id FROM grants x WHERE x.target_kind = '"+c.kind+
			"' AND x.grantee_id IN ("+args(w, ids)+") AND x.role IN ("+args(w, v.Roles)+"))")
	}
	if len(any) == 0 {
		any = []string{"FALSE"}
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// args makes placeholders of values.
func args[S ~string](w *where, values []S) string {
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = w.arg(string(v))
	}
	return strings.Join(marks, ", ")
}
