package claims

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
)

func rules(t testing.TB, text string) *Rules {
	t.Helper()
	var r Rules
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	if err := r.Complete(); err != nil {
		t.Fatal(err)
	}
	return &r
}

func read(t testing.TB, r *Rules, text string) (Person, error) {
	t.Helper()
	var c map[string]any
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return r.Read(c)
}

func TestWhoSomebodyIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, rules, claims, username, email, name string }{
		{"as providers have it", `{}`, `{"sub":"1","preferred_username":"ana","email":"ana@example.com","name":"Ana María"}`, "ana", "ana@example.com", "Ana María"},
		{"an e-mail address as username", `{}`, `{"sub":"1","preferred_username":"ana.b@corp.com","email":"x@example.com"}`, "ana-b", "x@example.com", ""},
		{"no username", `{}`, `{"sub":"1","email":"__ana__b@example.com"}`, "ana-b", "__ana__b@example.com", ""},
		{"nothing that can be one", `{}`, `{"sub":"1","preferred_username":"Ёж","email":"ё@example.com"}`, "user", "ё@example.com", ""},
		{"another type", `{}`, `{"sub":"1","preferred_username":["x"],"email":"ana@example.com","name":{"x":1}}`, "ana", "ana@example.com", ""},
		{"a long one", `{}`, `{"sub":"1","preferred_username":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbb","email":"ana@example.com"}`, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ana@example.com", ""},
		{"other claims", `{"username_claim":"me.login","email_claim":"https://x.example/mail","name_claim":"me.names.full"}`,
			`{"sub":"1","me":{"login":"ana","names":{"full":"Ana"}},"https://x.example/mail":"a@b.example"}`, "ana", "a@b.example", "Ana"},
		{"hiding characters", `{}`, `{"sub":"1","email":"ana@example.com","name":"A\u202en\u0000a\u200b"}`, "ana", "ana@example.com", "Ana"},
		{"a domain that may", `{"email_domains":["@Example.com"]}`, `{"sub":"1","email":"ana@EXAMPLE.com"}`, "ana", "ana@EXAMPLE.com", ""},
	} {
		p, err := read(t, rules(t, c.rules), c.claims)
		if err != nil || p.Username != c.username || p.Email != c.email || p.Name != c.name || p.Subject != "1" {
			t.Errorf("%s: %+v, %v", c.what, p, err)
		}
		if p.Groups != nil || p.Roles != nil || p.Organizations != nil {
			t.Errorf("%s: said what nobody asked for: %+v", c.what, p)
		}
	}
}

func TestWhoMayNotComeIn(t *testing.T) {
	t.Parallel()
	const ana = `"sub":"1","email":"ana@example.com"`
	for _, c := range []struct{ what, rules, claims, says string }{
		{"no subject", `{}`, `{"email":"ana@example.com"}`, "claim sub"},
		{"a number as subject", `{}`, `{"sub":1,"email":"ana@example.com"}`, "claim sub"},
		{"a subject with a line end", `{}`, `{"sub":"1\n","email":"ana@example.com"}`, "claim sub"},
		{"no e-mail", `{}`, `{"sub":"1"}`, "claim email"},
		{"a list of e-mails", `{}`, `{"sub":"1","email":["ana@example.com"]}`, "claim email"},
		{"two in one", `{}`, `{"sub":"1","email":"ana@example.com,eve@example.com"}`, "that is none"},
		{"with a name", `{}`, `{"sub":"1","email":"Ana <ana@example.com>"}`, "that is none"},
		{"not verified", `{}`, `{` + ana + `,"email_verified":false}`, "has not verified"},
		{"not verified, as a text", `{}`, `{` + ana + `,"email_verified":"false"}`, "has not verified"},
		{"verified, in a way that nobody knows", `{}`, `{` + ana + `,"email_verified":1}`, "has not verified"},
		{"verified null", `{}`, `{` + ana + `,"email_verified":null}`, "has not verified"},
		{"another domain", `{"email_domains":["corp.example"]}`, `{` + ana + `}`, "of example.com may not"},
		{"a domain behind it", `{"email_domains":["example.com"]}`, `{"sub":"1","email":"ana@example.com.evil.test"}`, "evil.test"},
		{"a domain below it", `{"email_domains":["example.com"]}`, `{"sub":"1","email":"ana@x.example.com"}`, "x.example.com"},
		{"a quoted one", `{"email_domains":["example.com"]}`, `{"sub":"1","email":"\"a@example.com\"@evil.test"}`, ""},
		{"letters that only look so", `{"email_domains":["kk.example"]}`, `{"sub":"1","email":"ana@\u212ak.example"}`, "may not"},
		{"no group that may", `{"groups":{"allowed":["staff"]}}`, `{` + ana + `,"groups":["Staff","staff2"," staff"]}`, "none of the groups"},
		{"no groups", `{"groups":{"allowed":["staff"]}}`, `{` + ana + `}`, "none of the groups"},
		{"groups left out", `{"groups":{"allowed":["staff"]}}`, `{` + ana + `,"_claim_names":{"groups":"src1"}}`, "too many"},
		{"groups of numbers", `{"groups":{}}`, `{` + ana + `,"groups":[1,2]}`, "something else"},
		{"groups as a number", `{"groups":{}}`, `{` + ana + `,"groups":7}`, "no list"},
		{"roles of lists", `{"roles":{"mapping":{"a":["auditor"]}}}`, `{` + ana + `,"roles":[["a"]]}`, "something else"},
		{"organizations of lists", `{"organizations":{"mapping":{"a":["x"]}}}`, `{` + ana + `,"organizations":[["a"]]}`, "something else"},
	} {
		_, err := read(t, rules(t, c.rules), c.claims)
		if !errors.Is(err, berth.Forbidden) || !strings.Contains(berth.ErrorMessage(err), c.says) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	many, _ := json.Marshal(map[string]any{"sub": "1", "email": "ana@example.com", "groups": slices.Repeat([]string{"g"}, maxValues+1)})
	if _, err := read(t, rules(t, `{"groups":{}}`), string(many)); !errors.Is(err, berth.Forbidden) {
		t.Errorf("too many groups: %v", err)
	}
}

func TestVerified(t *testing.T) {
	t.Parallel()
	for claims, want := range map[string]bool{`"email_verified":true`: true, `"email_verified":"true"`: true, `"x":1`: false} {
		if p, err := read(t, rules(t, `{}`), `{"sub":"1","email":"a@b.example",`+claims+`}`); err != nil || p.EmailVerified != want {
			t.Errorf("%s: %+v, %v", claims, p, err)
		}
	}
	if p, err := read(t, rules(t, `{"ignore_email_verified":true}`), `{"sub":"1","email":"a@b.example","email_verified":false}`); err != nil || !p.EmailVerified {
		t.Errorf("ignored: %+v, %v", p, err)
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	type want = map[string][]string
	for _, c := range []struct {
		what, rules, groups string
		want                want
		skipped             []string
	}{
		{"as they are", `{}`, `["b","a","A"]`, want{"default": {"a", "b"}}, nil},
		{"one text", `{}`, `"a"`, want{"default": {"a"}}, nil},
		{"an object", `{}`, `{"a":{"id":1},"b":true,"c":false,"d":null}`, want{"default": {"a", "b"}}, nil},
		{"null", `{}`, `null`, want{}, nil},
		{"in another organization", `{"organization":"lab"}`, `["a"]`, want{"lab": {"a"}}, nil},
		{"a filter", `{"filter":"^berth-"}`, `["berth-a","xberth-a","other"]`, want{"default": {"berth-a"}}, nil},
		{"a filter with a name", `{"filter":"^/berth/(.*)$"}`, `["/berth/a","/x/b","/berth/b c"]`, want{"default": {"a"}}, []string{"/berth/b c"}},
		{"no names", `{}`, `["a/b","a b","a--b","ä","Everyone","PREBUILDS","","a-b"]`, want{"default": {"a-b"}}, []string{"a/b", "a b", "a--b", "ä", "Everyone", "PREBUILDS", ""}},
		{"mapped", `{"mapping":{"a/b":"team","cn=x":"lab/other"},"filter":"^$"}`, `["a/b","cn=x","team2"]`, want{"default": {"team"}, "lab": {"other"}}, nil},
	} {
		p, err := read(t, rules(t, `{"groups":`+c.rules+`}`), `{"sub":"1","email":"a@b.example","groups":`+c.groups+`}`)
		if diff := cmp.Diff(c.want, p.Groups); err != nil || diff != "" || !slices.Equal(p.Skipped, c.skipped) {
			t.Errorf("%s: %v, skipped %q\n%s", c.what, err, p.Skipped, diff)
		}
	}
	if p, err := read(t, rules(t, `{"groups":{}}`), `{"sub":"1","email":"a@b.example","_claim_names":{"groups":"s"}}`); err != nil || p.Groups != nil {
		t.Errorf("left out groups are not none: %+v, %v", p, err)
	}
}

func TestRolesAndOrganizations(t *testing.T) {
	t.Parallel()
	r := rules(t, `{"roles":{"claim":"realm.roles","mapping":{"boss":["owner"],"it":["user-admin","auditor"]}},
		"organizations":{"claim":"dep","mapping":{"rnd":["lab","platform:template-admin"],"ops":["platform:auditor","platform"]}}}`)
	p, err := read(t, r, `{"sub":"1","email":"a@b.example","realm":{"roles":["it","owner","it","x"]},"dep":["ops","rnd","lab"]}`)
	if diff := cmp.Diff([]berth.Role{berth.RoleAuditor, berth.RoleUserAdmin}, p.Roles); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	want := []Membership{{"default", nil}, {"lab", nil}, {"platform", []berth.Role{berth.RoleAuditor, berth.RoleTemplateAdmin}}}
	if diff := cmp.Diff(want, p.Organizations); diff != "" {
		t.Error(diff)
	}
	p, err = read(t, r, `{"sub":"1","email":"a@b.example"}`)
	if err != nil || p.Roles == nil || len(p.Roles) != 0 || len(p.Organizations) != 1 {
		t.Errorf("nothing is none: %+v, %v", p, err)
	}
	// Roles that the mapping could give are taken away, too.
	if p, err := read(t, r, `{"sub":"1","email":"a@b.example","dep":["ops"]}`); err != nil || len(p.Organizations) != 2 || !slices.Equal(p.Organizations[1].Roles, []berth.Role{berth.RoleAuditor}) {
		t.Errorf("%+v, %v", p, err)
	}
	only := rules(t, `{"organizations":{"mapping":{"boss":["lab:owner"],"rnd":["lab"]}}}`)
	if p, err := read(t, only, `{"sub":"1","email":"a@b.example","organizations":["rnd"]}`); err != nil || len(p.Organizations) != 2 || p.Organizations[1].Roles == nil {
		t.Errorf("%+v, %v", p, err)
	}
	no := rules(t, `{"organizations":{"default":false,"mapping":{"rnd":["lab"]}}}`)
	if p, err := read(t, no, `{"sub":"1","email":"a@b.example"}`); err != nil || p.Organizations == nil || len(p.Organizations) != 0 {
		t.Errorf("not in the default one: %+v, %v", p, err)
	}
}

func TestRulesThatAreWrong(t *testing.T) {
	t.Parallel()
	for text, field := range map[string]string{
		`{"email_domains":["*.example.com"]}`:                 "email_domains",
		`{"email_domains":["exämple.com"]}`:                   "email_domains",
		`{"groups":{"filter":"("}}`:                           "groups.filter",
		`{"groups":{"mapping":{"a":"x/y/z"}}}`:                "groups.mapping",
		`{"groups":{"mapping":{"a":""}}}`:                     "groups.mapping",
		`{"groups":{"organization":"a b"}}`:                   "groups.organization",
		`{"roles":{}}`:                                        "roles.mapping",
		`{"roles":{"mapping":{"a":["root"]}}}`:                "roles.mapping",
		`{"organizations":{}}`:                                "organizations.mapping",
		`{"organizations":{"mapping":{"a":["x:root"]}}}`:      "organizations.mapping",
		`{"organizations":{"mapping":{"a":["x:"]}}}`:          "organizations.mapping",
		`{"organizations":{"mapping":{"a":["x y:auditor"]}}}`: "organizations.mapping",
	} {
		var r Rules
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		var e *berth.Error
		if err := r.Complete(); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzRead: whatever a provider says, a person is valid and gets nothing that
// the rules do not name.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"sub":"1","preferred_username":"ana","email":"ana@example.com","groups":["staff","a"],"roles":["it"],"org":{"unit":["rnd"]}}`,
		`{"sub":"1","email":"a@example.com","groups":{"staff":{}},"roles":"it","org.unit":"rnd","email_verified":"true"}`,
		`{"sub":"\u0000","email":1,"groups":[[]]}`, `{"_claim_names":{"groups":"x"},"sub":"x","email":"x@example.com"}`, `null`, `{}`,
	} {
		f.Add(seed)
	}
	r := rules(f, `{"email_domains":["example.com"],
		"groups":{"filter":"^(?:team:)?([a-z]+)$","mapping":{"staff":"lab/people"},"allowed":["staff"]},
		"roles":{"mapping":{"it":["auditor"]}},
		"organizations":{"claim":"org.unit","mapping":{"rnd":["lab:template-admin"]}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var c map[string]any
		if json.Unmarshal([]byte(text), &c) != nil {
			t.Skip()
		}
		p, err := r.Read(c)
		if err != nil {
			if !errors.Is(err, berth.Forbidden) {
				t.Fatalf("%v", err)
			}
			return
		}
		if p.Subject == "" || berth.ValidateName("u", p.Username) != nil || berth.ValidateEmail("e", p.Email) != nil || len(p.Name) > maxName || !utf8.ValidString(p.Name) {
			t.Fatalf("not a person: %+v", p)
		}
		if !strings.HasSuffix(asciiLower(p.Email), "@example.com") {
			t.Fatalf("the domain of %q", p.Email)
		}
		says := func(v string) bool { return strings.Contains(text, v) || strings.Contains(text, `\u`) }
		if !says("staff") || len(p.Roles) > 0 && !says("it") {
			t.Fatalf("came in, or has roles, by nothing: %+v", p)
		}
		for o, groups := range p.Groups {
			for _, g := range groups {
				if berth.ValidateName("g", g) != nil || o == "lab" && g != "people" || o != "lab" && o != "default" {
					t.Fatalf("group %s/%s", o, g)
				}
			}
		}
		for _, m := range p.Organizations {
			if m.Organization != "default" && (m.Organization != "lab" || !says("rnd")) {
				t.Fatalf("organization %+v", m)
			}
		}
		again, err := r.Read(c)
		if diff := cmp.Diff(p, again); err != nil || diff != "" {
			t.Fatalf("not the same twice: %v\n%s", err, diff)
		}
	})
}

func FuzzUsername(f *testing.F) {
	f.Add("ana.b")
	f.Add("-a--b_")
	f.Fuzz(func(t *testing.T, s string) {
		if name := Username(s); name != "" && berth.ValidateName("u", name) != nil {
			t.Fatalf("%q becomes %q", s, name)
		}
	})
}
