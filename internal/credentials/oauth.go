package credentials

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// tokens is what a provider gave to a person. It is sealed as JSON.
type tokens struct {
	Access    string         `json:"access"`
	Refresh   string         `json:"refresh,omitempty"`
	Type      string         `json:"type,omitempty"`
	Scopes    string         `json:"scopes,omitempty"`
	ExpiresAt time.Time      `json:"expires_at,omitzero"` // zero: not known to expire
	Extra     map[string]any `json:"extra,omitempty"`     // what else was in the answer
}

const maxTokenAnswer = 256 << 10

// errRefused says that the provider does not take a code or a refresh token,
// and never will.
var errRefused = errors.New("the service refused it")

// authorizeURL is where a person's browser goes to sign in (RFC 6749 4.1.1, with
// RFC 7636).
func (p *Provider) authorizeURL(redirect, state, verifier string) (string, error) {
	u, err := url.Parse(p.AuthURL)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(verifier))
	q := u.Query()
	for name, value := range p.AuthParams {
		q.Set(name, value)
	}
	q.Set("response_type", "code")
	q.Set("client_id", p.ClientID)
	q.Set("redirect_uri", redirect)
	q.Set("state", state)
	q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
	q.Set("code_challenge_method", "S256")
	if len(p.Scopes) > 0 {
		q.Set("scope", strings.Join(p.Scopes, " "))
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// exchange makes tokens of the code that the browser brought.
func (s *Service) exchange(ctx context.Context, p *Provider, code, redirect, verifier string) (tokens, error) {
	return s.ask(ctx, p, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier}})
}

// refresh makes new tokens of old ones. What the answer leaves out stays.
func (s *Service) refresh(ctx context.Context, p *Provider, old tokens) (tokens, error) {
	t, err := s.ask(ctx, p, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh}})
	t.Refresh, t.Scopes = cmp.Or(t.Refresh, old.Refresh), cmp.Or(t.Scopes, old.Scopes)
	return t, err
}

// ask sends a request to the provider's token endpoint. errRefused is about
// what was sent; every other error may pass.
func (s *Service) ask(ctx context.Context, p *Provider, form url.Values) (tokens, error) {
	if p.TokenAuth == "body" {
		form.Set("client_id", p.ClientID)
		form.Set("client_secret", p.ClientSecret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return tokens{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if p.TokenAuth == "basic" {
		req.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(p.ClientSecret))
	}
	status, contentType, body, err := s.send(req)
	if err != nil {
		return tokens{}, p.away(err)
	}
	fields := readFields(contentType, body)
	if code := text(fields, "error"); code != "" || status/100 != 2 {
		return tokens{}, p.refusal(status, code)
	}
	return readTokens(p, fields)
}

// send gives the answer to a request, whole. Errors never hold what was sent.
func (s *Service) send(req *http.Request) (status int, contentType string, body []byte, err error) {
	req.Header.Set("User-Agent", "berth")
	res, err := s.http.Do(req)
	if err != nil {
		var in *url.Error
		if errors.As(err, &in) { // its text has the URL in it
			err = in.Err
		}
		return 0, "", nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, maxTokenAnswer))
	return res.StatusCode, res.Header.Get("Content-Type"), body, err
}

// away is the error of a provider that cannot be asked now.
func (p *Provider) away(err error) error {
	return &berth.Error{Code: berth.Unavailable, Err: err, Message: p.Name + " does not answer now: try again in a moment"}
}

// refusal is what a provider's error means (RFC 6749 5.2).
func (p *Provider) refusal(status int, code string) error {
	switch code {
	case "invalid_grant", "bad_refresh_token", "bad_verification_code", "expired_token":
		return fmt.Errorf("%s: %w", code, errRefused)
	case "invalid_client", "unauthorized_client", "incorrect_client_credentials":
		return berth.Errorf(berth.Unavailable, "%s does not accept this server's client_id and client_secret: an administrator has to put that right in --external-auth", p.Name)
	}
	return p.away(fmt.Errorf("status %d, error %.40q", status, code))
}

// readFields reads an answer of JSON or, as some services do it, a form.
func readFields(contentType string, body []byte) map[string]any {
	fields := map[string]any{}
	if kind, _, _ := mime.ParseMediaType(contentType); kind == "application/x-www-form-urlencoded" || kind == "text/plain" {
		if form, err := url.ParseQuery(string(body)); err == nil && !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
			for name := range form {
				fields[name] = form.Get(name)
			}
			return fields
		}
	}
	_ = json.Unmarshal(body, &fields) // what is not JSON has no fields
	return fields
}

func readTokens(p *Provider, fields map[string]any) (tokens, error) {
	t := tokens{Access: text(fields, "access_token"), Refresh: text(fields, "refresh_token"), Type: cmp.Or(text(fields, "token_type"), "bearer"), Scopes: text(fields, "scope")}
	if t.Access == "" || len(t.Access) > 16<<10 || strings.ContainsFunc(t.Access, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return tokens{}, p.away(errors.New("its answer has no usable access_token"))
	}
	if n := seconds(fields["expires_in"]); n > 0 {
		t.ExpiresAt = time.Now().Add(time.Duration(n) * time.Second).UTC()
	}
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		delete(fields, name)
	}
	if len(fields) > 0 {
		t.Extra = fields
	}
	return t, nil
}

func text(fields map[string]any, name string) string {
	s, _ := fields[name].(string)
	return s
}

// seconds reads a lifetime, a number or the text of one; 0 for none. Ten years
// are as good as for ever.
func seconds(v any) int64 {
	const most = 10 * 365 * 24 * 3600
	switch v := v.(type) {
	case float64:
		if v > 0 {
			return int64(min(v, most))
		}
	case string:
		n, _ := strconv.ParseInt(v, 10, 64)
		return max(0, min(n, most))
	}
	return 0
}

// validate asks the provider whose a token is. errRefused: it is good for
// nothing. A provider that does not say leaves the account empty.
func (s *Service) validate(ctx context.Context, p *Provider, t tokens) (account string, err error) {
	if p.ValidateURL == "" {
		return "", nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.ValidateURL, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+t.Access)
	req.Header.Set("Accept", "application/json")
	status, _, body, err := s.send(req)
	switch {
	case err != nil:
		return "", p.away(err)
	case status == http.StatusUnauthorized:
		return "", errRefused
	case status/100 != 2: // rate limits, a bad day: not about the token
		return "", p.away(fmt.Errorf("status %d", status))
	}
	var fields map[string]any
	_ = json.Unmarshal(body, &fields)
	for _, name := range []string{"login", "username", "preferred_username", "nickname", "name", "email"} {
		if account := text(fields, name); account != "" {
			return account, nil
		}
	}
	return "", nil
}

// revoke tells the provider that the tokens are not wanted any more. told is
// false where it cannot be told.
func (s *Service) revoke(ctx context.Context, p *Provider, t tokens) (told bool, err error) {
	if p.RevokeURL == "" {
		return false, nil
	}
	req, err := p.revokeRequest(ctx, t)
	if err != nil {
		return false, err
	}
	status, _, _, err := s.send(req)
	if err == nil && status/100 != 2 && status != http.StatusNotFound {
		err = fmt.Errorf("status %d", status)
	}
	return err == nil, err
}

func (p *Provider) revokeRequest(ctx context.Context, t tokens) (*http.Request, error) {
	if p.Type == "github" {
		body, err := json.Marshal(map[string]string{"access_token": t.Access})
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodDelete, p.RevokeURL, bytes.NewReader(body))
		if err == nil {
			req.Header.Set("Content-Type", "application/json")
			req.SetBasicAuth(p.ClientID, p.ClientSecret)
		}
		return req, err
	}
	// RFC 7009: the refresh token takes the access tokens with it.
	form := url.Values{"token": {cmp.Or(t.Refresh, t.Access)}}
	if p.TokenAuth == "body" {
		form.Set("client_id", p.ClientID)
		form.Set("client_secret", p.ClientSecret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.RevokeURL, strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if p.TokenAuth == "basic" {
			req.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(p.ClientSecret))
		}
	}
	return req, err
}
