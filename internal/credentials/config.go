package credentials

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/berthdev/berth"
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

var providerID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// LoadProviders reads the file of --external-auth.
func LoadProviders(path string) ([]*Provider, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &berth.Error{Code: berth.Invalid, Err: err, Message: fmt.Sprintf("--external-auth %s cannot be read: give a file that this user may read", path)}
	}
	list, err := parseProviders(text, filepath.Dir(path))
	if err != nil {
		return nil, berth.Errorf(berth.Invalid, "--external-auth %s: %s", path, berth.ErrorMessage(err))
	}
	return list, nil
}

func parseProviders(text []byte, dir string) ([]*Provider, error) {
	var list []*Provider
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, berth.Errorf(berth.Invalid, "it is not a JSON list of sign-ins: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, berth.Errorf(berth.Invalid, "there is something behind the list")
	}
	seen := map[string]bool{}
	for i, p := range list {
		if p == nil {
			return nil, berth.Errorf(berth.Invalid, "[%d] is null: describe a sign-in, or leave it out", i)
		}
		err := p.complete(dir)
		if err == nil && seen[strings.ToLower(p.ID)] {
			err = berth.InvalidField("id", "%q is there twice", p.ID)
		}
		if err != nil {
			return nil, located(i, err)
		}
		seen[strings.ToLower(p.ID)] = true
	}
	return list, nil
}

// located names the place of a wrong field: [0].client_id.
func located(i int, err error) error {
	e, ok := err.(*berth.Error)
	if !ok {
		return err
	}
	return berth.Errorf(berth.Invalid, "[%d].%s: %s", i, e.Field, e.Message)
}

// complete fills in the defaults of the type, and checks.
func (p *Provider) complete(dir string) error {
	known, ok := defaults[p.Type]
	switch {
	case !providerID.MatchString(p.ID) || p.ID == "match":
		return berth.InvalidField("id", "%q cannot be an id: use letters, digits, hyphens and underscores, at most 64; not the word match", p.ID)
	case !ok:
		return berth.InvalidField("type", "%q is not a type: use %s", p.Type, strings.Join(types(), ", "))
	case p.ClientID == "":
		return berth.InvalidField("client_id", "it is needed: the service gives it to you when you register Berth as an application there")
	case p.ClientSecret != "" && p.ClientSecretFile != "":
		return berth.InvalidField("client_secret_file", "give the secret or its file, not both")
	}
	if p.ClientSecretFile != "" {
		if err := p.readSecret(dir); err != nil {
			return err
		}
	}
	if p.ClientSecret == "" {
		return berth.InvalidField("client_secret", "it is needed, or client_secret_file")
	}
	if err := p.fill(known); err != nil {
		return err
	}
	return p.check()
}

func (p *Provider) readSecret(dir string) error {
	name := p.ClientSecretFile
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return &berth.Error{Code: berth.Invalid, Field: "client_secret_file", Err: err, Message: name + " cannot be read by this user"}
	}
	p.ClientSecret = strings.TrimSpace(string(text))
	return nil
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
			if err := p.checkURL(u.field, u.value); err != nil {
				return err
			}
		}
	}
	if !slices.Contains([]string{"body", "basic"}, p.TokenAuth) {
		return berth.InvalidField("token_auth", "%q: say body or basic", p.TokenAuth)
	}
	for name := range p.AuthParams {
		if slices.Contains([]string{"state", "redirect_uri", "client_id", "response_type", "code_challenge", "code_challenge_method"}, name) {
			return berth.InvalidField("auth_params", "%s is Berth's own", name)
		}
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

func (p *Provider) checkURL(field, value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return berth.InvalidField(field, "%q is not an address of a web server", value)
	}
	if u.Scheme == "http" && !loopbackHost(u.Hostname()) && !p.AllowHTTP {
		return berth.InvalidField(field, "%s is not encrypted, so tokens would be read on their way: use https, or say \"allow_http\": true", value)
	}
	return nil
}

// Matches tells whether the provider is for a repository's URL.
func (p *Provider) Matches(repository string) bool {
	if p.match == nil {
		return false
	}
	u, err := url.Parse(repository)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !p.AllowHTTP && !loopbackHost(u.Hostname())) {
		return false
	}
	return p.match.MatchString(strings.ToLower(u.Host) + u.EscapedPath())
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
