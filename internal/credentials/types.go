package credentials

import (
	"cmp"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/clientfile"
)

// shape is what is known of a type of provider. Paths are behind the base URL.
type shape struct {
	name                          string
	base                          string // "": it has to be given
	auth, token, validate, revoke string
	scopes                        []string
	tokenAuth, username           string
}

// defaults are the types that there are.
var defaults = map[string]shape{
	"github": {name: "GitHub", base: "https://github.com", auth: "/login/oauth/authorize", token: "/login/oauth/access_token",
		scopes: []string{"repo", "workflow"}, tokenAuth: "body", username: "x-access-token"},
	"gitlab": {name: "GitLab", base: "https://gitlab.com", auth: "/oauth/authorize", token: "/oauth/token", validate: "/api/v4/user", revoke: "/oauth/revoke",
		scopes: []string{"read_user", "write_repository"}, tokenAuth: "body", username: "oauth2"},
	"gitea": {name: "Gitea", base: "https://gitea.com", auth: "/login/oauth/authorize", token: "/login/oauth/access_token", validate: "/api/v1/user",
		scopes: []string{"read:user", "write:repository"}, tokenAuth: "body", username: "oauth2"},
	"bitbucket-cloud": {name: "Bitbucket", base: "https://bitbucket.org", auth: "/site/oauth2/authorize", token: "/site/oauth2/access_token",
		scopes: []string{"account", "repository:write"}, tokenAuth: "basic", username: "x-token-auth"},
	"bitbucket-server": {name: "Bitbucket", auth: "/rest/oauth2/latest/authorize", token: "/rest/oauth2/latest/token",
		validate: "/rest/api/latest/inbox/pull-requests/count", revoke: "/rest/oauth2/latest/revoke",
		scopes: []string{"REPO_READ", "REPO_WRITE"}, tokenAuth: "body", username: "x-token-auth"},
	"azure-devops": {name: "Azure DevOps", auth: "/oauth2/v2.0/authorize", token: "/oauth2/v2.0/token",
		// The id is that of Azure DevOps in every tenant.
		scopes: []string{"499b84ac-1321-427f-aa17-267ca6975798/.default", "offline_access"}, tokenAuth: "body", username: "oauth2"},
	"oauth2": {tokenAuth: "basic", username: "oauth2"},
}

func types() []string { return slices.Sorted(maps.Keys(defaults)) }

// fill puts the type's defaults where nothing was said.
func (p *Provider) fill(s shape) error {
	base := strings.TrimRight(p.BaseURL, "/")
	if base != "" {
		if err := clientfile.CheckURL("base_url", base, p.AllowHTTP); err != nil {
			return err
		}
	}
	self := base != "" && base != s.base
	if base == "" {
		base = s.base
	}
	if base == "" && p.Type != "oauth2" && (p.AuthURL == "" || p.TokenURL == "") {
		if p.Type == "azure-devops" {
			return berth.InvalidField("base_url", "it is needed: https://login.microsoftonline.com/ and the id of your tenant")
		}
		return berth.InvalidField("base_url", "it is needed for type %s: where the service is, such as https://git.example.com", p.Type)
	}
	p.Name = cmp.Or(p.Name, s.name, p.ID)
	p.TokenAuth, p.Username = cmp.Or(p.TokenAuth, s.tokenAuth), cmp.Or(p.Username, s.username)
	if p.Scopes == nil {
		p.Scopes = s.scopes
	}
	behind := func(field *string, path string) {
		if *field == "" && base != "" && path != "" {
			*field = base + path
		}
	}
	behind(&p.AuthURL, s.auth)
	behind(&p.TokenURL, s.token)
	behind(&p.ValidateURL, s.validate)
	behind(&p.RevokeURL, s.revoke)
	p.fillSpecial(base, self)
	if u, err := url.Parse(base); err == nil && p.Match == "" && u.Host != "" && p.Type != "azure-devops" && p.Type != "oauth2" {
		p.Match = regexp.QuoteMeta(strings.ToLower(u.Host))
	}
	return nil
}

// fillSpecial knows what is not behind the base URL.
func (p *Provider) fillSpecial(base string, self bool) {
	switch p.Type {
	case "github":
		api := "https://api.github.com"
		if self {
			api = base + "/api/v3"
		}
		p.ValidateURL = cmp.Or(p.ValidateURL, api+"/user")
		p.RevokeURL = cmp.Or(p.RevokeURL, api+"/applications/"+url.PathEscape(p.ClientID)+"/token")
	case "bitbucket-cloud":
		p.ValidateURL = cmp.Or(p.ValidateURL, "https://api.bitbucket.org/2.0/user")
	case "azure-devops":
		p.Match = cmp.Or(p.Match, `dev\.azure\.com|[a-z0-9-]+\.visualstudio\.com`)
	}
}
