package credentials

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/clientfile"
)

func TestProviders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := clientfile.Parse[Provider]([]byte(`[
		{"id":"github","type":"github","client_id":"a","client_secret_file":"secret"},
		{"id":"ghe","type":"github","client_id":"a","client_secret":"s","base_url":"https://git.example.com/"},
		{"id":"gl","type":"gitlab","client_id":"a","client_secret":"s","scopes":[]},
		{"id":"tea","type":"gitea","client_id":"a","client_secret":"s","base_url":"https://tea.example.com:3000","name":"Tea"},
		{"id":"bb","type":"bitbucket-cloud","client_id":"a","client_secret":"s"},
		{"id":"bbs","type":"bitbucket-server","client_id":"a","client_secret":"s","base_url":"https://bb.example.com"},
		{"id":"ado","type":"azure-devops","client_id":"a","client_secret":"s","base_url":"https://login.microsoftonline.com/tenant"},
		{"id":"slack","type":"oauth2","client_id":"a","client_secret":"s","auth_url":"https://slack.com/oauth/v2/authorize","token_url":"https://slack.com/api/oauth.v2.access","auth_params":{"user_scope":"chat:write"}}
	]`), dir)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]*Provider{}
	for _, p := range list {
		by[p.ID] = p
	}
	for what, got := range map[string][2]string{
		"secret file":   {by["github"].ClientSecret, "s3cret"},
		"github api":    {by["github"].ValidateURL, "https://api.github.com/user"},
		"ghe auth":      {by["ghe"].AuthURL, "https://git.example.com/login/oauth/authorize"},
		"ghe api":       {by["ghe"].ValidateURL, "https://git.example.com/api/v3/user"},
		"gitlab revoke": {by["gl"].RevokeURL, "https://gitlab.com/oauth/revoke"},
		"gitea token":   {by["tea"].TokenURL, "https://tea.example.com:3000/login/oauth/access_token"},
		"name":          {by["tea"].Name, "Tea"},
		"azure":         {by["ado"].TokenURL, "https://login.microsoftonline.com/tenant/oauth2/v2.0/token"},
		"oauth2 name":   {by["slack"].Name, "slack"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %q, want %q", what, got[0], got[1])
		}
	}
	for address, want := range map[string]string{
		"https://github.com/berthdev/berth": "github", "https://octo@github.com": "github", "https://GitHub.com/x.git": "github",
		"http://github.com/x": "", "https://github.com.evil.example/x": "", "https://evil.example/github.com/x": "", "https://agithub.com/": "", "ssh://git@github.com/x": "", "git@github.com:x": "",
		"https://tea.example.com:3000/x": "tea", "https://tea.example.com/x": "", "https://dev.azure.com/o/p": "ado", "https://o.visualstudio.com/p": "ado", "": "", "%": "",
	} {
		got := ""
		for _, p := range list {
			if p.Matches(address) {
				got = p.ID
			}
		}
		if got != want {
			t.Errorf("%q is for %q, want %q", address, got, want)
		}
	}
	address, err := by["slack"].authorizeURL("https://berth.test/cb", "st", "ver")
	u, _ := url.Parse(address)
	if err != nil || u.Host != "slack.com" || u.Query().Get("user_scope") != "chat:write" || u.Query().Get("code_challenge") == "" || u.Query().Get("redirect_uri") != "https://berth.test/cb" {
		t.Errorf("%s, %v", address, err)
	}
}

// An error names the entry and its field, and shows no secret.
func TestProvidersThatAreWrong(t *testing.T) {
	t.Parallel()
	ok := `"id":"a","type":"github","client_id":"c","client_secret":"hush"`
	for text, want := range map[string]string{
		`{}`: "JSON list", `[{` + ok + `}] x`: "behind the list", `[null]`: "[0] is null",
		`[{` + ok + `,"clinet":"x"}]`: `unknown field "clinet"`,
		`[{` + ok + `},{"type":"github","client_id":"c","client_secret":"hush"}]`: "[1].id",
		`[{` + ok + `},{` + ok + `}]`:      "[1].id: \"a\" is there twice",
		`[{"id":"match","type":"github"}]`: "[0].id", `[{"id":"a/b","type":"github"}]`: "[0].id",
		`[{"id":"a","type":"svn"}]`: "[0].type", `[{"id":"a","type":"github"}]`: "[0].client_id",
		`[{"id":"a","type":"github","client_id":"c"}]`:                                  "[0].client_secret",
		`[{"id":"a","type":"github","client_id":"c","client_secret_file":"none"}]`:      "[0].client_secret_file",
		`[{` + ok + `,"client_secret_file":"x"}]`:                                       "not both",
		`[{"id":"a","type":"oauth2","client_id":"c","client_secret":"hush"}]`:           "[0].auth_url",
		`[{"id":"a","type":"bitbucket-server","client_id":"c","client_secret":"hush"}]`: "[0].base_url",
		`[{"id":"a","type":"azure-devops","client_id":"c","client_secret":"hush"}]`:     "tenant",
		`[{` + ok + `,"base_url":"http://git.example.com"}]`:                            "not encrypted",
		`[{` + ok + `,"token_url":"javascript:alert(1)"}]`:                              "[0].token_url",
		`[{` + ok + `,"match":"("}]`:                                                    "[0].match",
		`[{` + ok + `,"token_auth":"x"}]`:                                               "[0].token_auth",
		`[{` + ok + `,"auth_params":{"state":"x"}}]`:                                    "[0].auth_params",
	} {
		_, err := clientfile.Parse[Provider]([]byte(text), t.TempDir())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := LoadProviders(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("no file: %v", err)
	}
}
