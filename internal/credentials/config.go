package credentials

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/clientfile"
)

// Provider is an external service at which people sign in, as an administrator
// describes it in the file of --external-auth.
type Provider struct {
	ID               string            `json:"id"`
	Type             string            `json:"type"`
	Name             string            `json:"name"` // shown to people
	ClientID         string            `json:"client_id"`
	ClientSecret     string            `json:"client_secret"`
	ClientSecretFile string            `json:"client_secret_file"` // relative to the file of --external-auth
	BaseURL          string            `json:"base_url"`           // of a self-hosted service
	AuthURL          string            `json:"auth_url"`
	TokenURL         string            `json:"token_url"`
	ValidateURL      string            `json:"validate_url"`
	RevokeURL        string            `json:"revoke_url"`
	Scopes           []string          `json:"scopes"`
	Match            string            `json:"match"` // regular expression of repository URLs, without scheme
	AuthParams       map[string]string `json:"auth_params"`
	TokenAuth        string            `json:"token_auth"` // body or basic
	Username         string            `json:"username"`   // for git, beside the token
	AllowHTTP        bool              `json:"allow_http"`

	match *regexp.Regexp
}

// LoadProviders reads the file of --external-auth.
func LoadProviders(path string) ([]*Provider, error) {
	return clientfile.Load[Provider]("--external-auth", path)
}

// Key is what no two of a file may share.
func (p *Provider) Key() string { return p.ID }

// Complete fills in the defaults of the type, and checks.
func (p *Provider) Complete(dir string) (err error) {
	if err := clientfile.CheckID(p.ID, "match"); err != nil {
		return err
	}
	known, ok := defaults[p.Type]
	switch {
	case !ok:
		return berth.InvalidField("type", "%q is not a type: use %s", p.Type, strings.Join(types(), ", "))
	case p.ClientID == "":
		return berth.InvalidField("client_id", "it is needed: the service gives it to you when you register Berth as an application there")
	}
	if p.ClientSecret, err = clientfile.Secret(dir, p.ClientSecret, p.ClientSecretFile); err != nil {
		return err
	}
	if err := p.fill(known); err != nil {
		return err
	}
	return p.check()
}

func (p *Provider) check() error {
	for _, u := range []struct {
		field, value string
		needed       bool
	}{
		{"auth_url", p.AuthURL, true}, {"token_url", p.TokenURL, true}, {"validate_url", p.ValidateURL, false}, {"revoke_url", p.RevokeURL, false},
	} {
		switch {
		case u.value == "" && u.needed:
			return berth.InvalidField(u.field, "it is needed for type %s", p.Type)
		case u.value == "":
		default:
			if err := clientfile.CheckURL(u.field, u.value, p.AllowHTTP); err != nil {
				return err
			}
		}
	}
	if !slices.Contains([]string{"body", "basic"}, p.TokenAuth) {
		return berth.InvalidField("token_auth", "%q: say body or basic", p.TokenAuth)
	}
	if err := clientfile.CheckParameters(p.AuthParams); err != nil {
		return err
	}
	if p.Match == "" {
		return nil
	}
	// Whole hosts only: github.com must not match github.com.evil.example.
	re, err := regexp.Compile(`^(?:` + p.Match + `)(?:/.*)?$`)
	if err != nil {
		return berth.InvalidField("match", "it is not a regular expression: %v", err)
	}
	p.match = re
	return nil
}

// Matches tells whether the provider is for a repository's URL.
func (p *Provider) Matches(repository string) bool {
	if p.match == nil {
		return false
	}
	u, err := url.Parse(repository)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !p.AllowHTTP && !clientfile.Loopback(u.Hostname())) {
		return false
	}
	return p.match.MatchString(strings.ToLower(u.Host) + u.EscapedPath())
}
