package signin

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/claims"
	"github.com/berthdev/berth/internal/clientfile"
)

// Provider is an identity provider by which people sign in, as an administrator
// describes it in the file of --sign-in.
type Provider struct {
	ID               string            `json:"id"`
	Type             string            `json:"type"` // oidc or github
	Name             string            `json:"name"` // shown to people
	Issuer           string            `json:"issuer"`
	BaseURL          string            `json:"base_url"` // of a GitHub Enterprise Server
	ClientID         string            `json:"client_id"`
	ClientSecret     string            `json:"client_secret"`
	ClientSecretFile string            `json:"client_secret_file"` // relative to the file of --sign-in
	TokenAuth        string            `json:"token_auth"`         // basic or body
	Scopes           []string          `json:"scopes"`
	AuthParams       map[string]string `json:"auth_params"`
	Userinfo         *bool             `json:"userinfo"` // ask the userinfo endpoint too; true unless said
	SignUps          *bool             `json:"sign_ups"` // make users that are not there; true unless said
	Recheck          string            `json:"recheck"`  // how often claims are read anew; 0: at sign-ins alone
	AllowHTTP        bool              `json:"allow_http"`
	claims.Rules

	// GitHub: who may come in; members of one of these, or everyone.
	AllowEveryone        bool     `json:"allow_everyone"`
	AllowedOrganizations []string `json:"allowed_organizations"`
	AllowedTeams         []string `json:"allowed_teams"` // ORGANIZATION/TEAM

	recheck time.Duration
	connector
}

// Types of providers.
const (
	typeOIDC   = "oidc"
	typeGitHub = "github"
)

const (
	usualRecheck = time.Hour
	leastRecheck = time.Minute
)

// LoadProviders reads the file of --sign-in.
func LoadProviders(path string) ([]*Provider, error) {
	return clientfile.Load[Provider]("--sign-in", path)
}

// Key is what no two of a file may share.
func (p *Provider) Key() string { return p.ID }

// Complete fills in defaults, and checks.
func (p *Provider) Complete(dir string) (err error) {
	// The first three are ways and sources beside the ids of providers; the
	// others are paths of pages.
	if err := clientfile.CheckID(p.ID, string(berth.SignInPassword), string(berth.SignInNone), string(berth.SourceUser), "change", "out"); err != nil {
		return err
	}
	if p.ClientID == "" {
		return berth.InvalidField("client_id", "it is needed: the identity provider gives it to you when you register Berth there")
	}
	if p.ClientSecret, err = clientfile.Secret(dir, p.ClientSecret, p.ClientSecretFile); err != nil {
		return err
	}
	if err := clientfile.CheckParameters(p.AuthParams); err != nil {
		return err
	}
	if p.TokenAuth != "" && p.TokenAuth != "basic" && p.TokenAuth != "body" {
		return berth.InvalidField("token_auth", "%q: say body or basic", p.TokenAuth)
	}
	switch p.Type {
	case typeOIDC:
		err = p.completeOIDC()
	case typeGitHub:
		err = p.completeGitHub()
	default:
		err = berth.InvalidField("type", "%q is not a type: use %s or %s", p.Type, typeOIDC, typeGitHub)
	}
	if err != nil {
		return err
	}
	if err := p.completeRecheck(); err != nil {
		return err
	}
	yes := true
	p.Userinfo, p.SignUps = cmp.Or(p.Userinfo, &yes), cmp.Or(p.SignUps, &yes)
	return p.Rules.Complete()
}

func (p *Provider) completeOIDC() error {
	switch {
	case p.Issuer == "":
		return berth.InvalidField("issuer", "it is needed: the address of the identity provider, as it stands in its /.well-known/openid-configuration")
	case p.BaseURL != "" || p.AllowEveryone || p.AllowedOrganizations != nil || p.AllowedTeams != nil:
		return berth.InvalidField("type", "base_url, allow_everyone, allowed_organizations and allowed_teams are for type github: here, email_domains and groups.allowed say who may come in")
	}
	if err := clientfile.CheckURL("issuer", p.Issuer, p.AllowHTTP); err != nil {
		return err
	}
	p.Name = cmp.Or(p.Name, p.ID)
	if p.Scopes == nil {
		p.Scopes = []string{"openid", "profile", "email"}
	}
	if !slices.Contains(p.Scopes, "openid") {
		return berth.InvalidField("scopes", "openid is needed among them")
	}
	p.connector = newOIDC(p)
	return nil
}

func (p *Provider) completeGitHub() error {
	base := cmp.Or(strings.TrimRight(p.BaseURL, "/"), "https://github.com")
	switch {
	case p.Issuer != "":
		return berth.InvalidField("issuer", "it is for type oidc; a GitHub Enterprise Server is named by base_url")
	case p.AllowEveryone && (len(p.AllowedOrganizations) > 0 || len(p.AllowedTeams) > 0):
		return berth.InvalidField("allow_everyone", "say everyone, or which organizations and teams, not both")
	case !p.AllowEveryone && len(p.AllowedOrganizations) == 0 && len(p.AllowedTeams) == 0:
		return berth.InvalidField("allowed_organizations", "say who may sign in: allowed_organizations, allowed_teams, or \"allow_everyone\": true for everybody who has an account there")
	}
	for _, team := range p.AllowedTeams {
		if o, t, ok := strings.Cut(team, "/"); !ok || o == "" || t == "" || strings.Contains(t, "/") {
			return berth.InvalidField("allowed_teams", "%q: say ORGANIZATION/TEAM, as in the team's address", team)
		}
	}
	if err := clientfile.CheckURL("base_url", base, p.AllowHTTP); err != nil {
		return err
	}
	p.Name, p.BaseURL = cmp.Or(p.Name, "GitHub"), base
	if p.Roles != nil {
		p.Roles.Claim = cmp.Or(p.Roles.Claim, "groups")
	}
	if p.Scopes == nil {
		p.Scopes = []string{"read:user", "user:email"}
		if !p.AllowEveryone || p.Groups != nil || p.Roles != nil || p.Organizations != nil {
			p.Scopes = append(p.Scopes, "read:org")
		}
	}
	p.connector = newGitHub(p)
	return nil
}

// completeRecheck reads how often claims are read anew. Unless it is said that
// is so where the provider gives what lasts for it: GitHub always, others when
// they are asked for a refresh token that outlives the person's session there.
func (p *Provider) completeRecheck() (err error) {
	if p.Recheck == "" {
		if p.Type == typeGitHub || slices.Contains(p.Scopes, "offline_access") || p.AuthParams["access_type"] == "offline" {
			p.recheck = usualRecheck
		}
		return nil
	}
	if p.recheck, err = time.ParseDuration(p.Recheck); err != nil || p.recheck < 0 || p.recheck > 0 && p.recheck < leastRecheck {
		return berth.InvalidField("recheck", "%q: give a length of time such as 1h, at least %s, or 0 for never", p.Recheck, leastRecheck)
	}
	return nil
}
