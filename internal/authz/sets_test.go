package authz_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
)

// Every role and every share has its set, and no set is empty.
func TestSetsAreComplete(t *testing.T) {
	t.Parallel()
	has := map[string]bool{}
	for _, s := range authz.Sets() {
		has[string(s.Of)+" "+s.Name] = true
		if len(s.Rights) == 0 || s.About == "" {
			t.Errorf("%s %s: %d rights, about %q", s.Of, s.Name, len(s.Rights), s.About)
		}
	}
	for _, r := range append(slices.Clone(berth.SiteRoles), berth.RoleMember) {
		if !has["site "+string(r)] {
			t.Errorf("the role %s of the site has no set", r)
		}
	}
	for _, r := range append(slices.Clone(berth.OrganizationRoles), berth.RoleMember) {
		if !has["organization "+string(r)] {
			t.Errorf("the role %s of organizations has no set", r)
		}
	}
	for _, r := range berth.GrantRoles {
		if !has["share "+string(r)] {
			t.Errorf("shares to %s have no set", r)
		}
	}
}

const page = "../../docs/permissions.md"

// TestPermissionsPageGenerated holds the tables of docs/permissions.md to the
// policy.
func TestPermissionsPageGenerated(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const from, to = "<!-- generated from internal/authz: make generate -->\n", "<!-- end of what is generated -->\n"
	before, rest, ok := strings.Cut(string(text), from)
	_, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the tables", page)
	}
	golden(t, page, before+from+tables()+to+after)
}

func tables() string {
	var out strings.Builder
	heads := map[authz.SetOf]string{authz.OfSite: "Roles of the site", authz.OfAnOrganization: "Roles of an organization", authz.OfAShare: "Shares"}
	last := authz.SetOf("")
	for _, s := range authz.Sets() {
		if s.Of != last {
			last = s.Of
			fmt.Fprintf(&out, "\n## %s\n", heads[s.Of])
		}
		fmt.Fprintf(&out, "\n**%s.** %s\n\n| what | may | whose |\n|---|---|---|\n", s.Name, s.About)
		for _, r := range s.Rights {
			fmt.Fprintf(&out, "| %s | %s | %s |\n", r.Kind, strings.Join(texts(r.Actions), ", "), r.Whose)
		}
	}
	out.WriteString("\n## What there is\n\n| what | can be done |\n|---|---|\n")
	for _, k := range authz.Kinds {
		fmt.Fprintf(&out, "| %s | %s |\n", k, strings.Join(texts(k.Actions()), ", "))
	}
	return out.String() + "\n"
}

func texts[S ~string](all []S) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = string(s)
	}
	return out
}
