package signin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/berthdev/berth/internal/clientfile"
)

// openID speaks OpenID Connect.
type openID struct {
	p    *Provider
	http *http.Client

	mu    sync.Mutex
	found *discovered
	at    time.Time // of the last look
	err   error     // of the last look
}

// discovered is what a provider says of itself.
type discovered struct {
	*oidc.Provider
	verifier *oidc.IDTokenVerifier
	style    oauth2.AuthStyle
	userinfo bool
}

const (
	discoverEvery = time.Hour       // it may have moved its endpoints
	discoverAgain = 5 * time.Second // after one that failed
)

func newOIDC(p *Provider) *openID { return &openID{p: p, http: newHTTP(nil)} }

// discover reads the provider's description of itself, which is kept for a
// while. The server starts without; a provider that is away is asked again, and
// meanwhile an old description is good.
func (o *openID) discover(ctx context.Context) (*discovered, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	since := time.Since(o.at)
	if since < 0 { // the clock went back
		since = discoverEvery
	}
	if o.err == nil && o.found != nil && since < discoverEvery || o.err != nil && since < discoverAgain {
		return o.found, o.missing()
	}
	found, err := o.look(ctx)
	if err == nil {
		o.found = found
	}
	if ctx.Err() == nil { // who asked went away: that says nothing
		o.at, o.err = time.Now(), err
	}
	if o.found == nil && err != nil {
		return nil, o.p.away(err)
	}
	return o.found, nil
}

func (o *openID) missing() error {
	if o.found != nil {
		return nil
	}
	return o.p.away(o.err)
}

func (o *openID) look(ctx context.Context) (*discovered, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, o.http), o.p.Issuer)
	if err != nil {
		return nil, err
	}
	var says struct {
		Auth     string   `json:"authorization_endpoint"`
		Token    string   `json:"token_endpoint"`
		Keys     string   `json:"jwks_uri"`
		Userinfo string   `json:"userinfo_endpoint"`
		Methods  []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&says); err != nil {
		return nil, err
	}
	for field, address := range map[string]string{"authorization_endpoint": says.Auth, "token_endpoint": says.Token, "jwks_uri": says.Keys, "userinfo_endpoint": says.Userinfo} {
		if address == "" && field == "userinfo_endpoint" {
			continue
		}
		// Browsers are sent there, and secrets.
		if err := clientfile.CheckURL(field, address, o.p.AllowHTTP); err != nil {
			return nil, err
		}
	}
	d := &discovered{Provider: found, verifier: found.Verifier(&oidc.Config{ClientID: o.p.ClientID}), style: oauth2.AuthStyleInHeader, userinfo: says.Userinfo != ""}
	if len(says.Methods) > 0 && !slices.Contains(says.Methods, "client_secret_basic") {
		d.style = oauth2.AuthStyleInParams
	}
	return d, nil
}

func (o *openID) authorize(ctx context.Context, s secrets) (string, error) {
	d, err := o.discover(ctx)
	if err != nil {
		return "", err
	}
	options := append(o.p.extra(), oauth2.S256ChallengeOption(s.Verifier), oidc.Nonce(s.Nonce))
	return o.p.client(d.Endpoint().AuthURL, "", s.Redirect, d.style).AuthCodeURL(s.State, options...), nil
}

func (o *openID) exchange(ctx context.Context, s secrets, code string) (answer, error) {
	d, err := o.discover(ctx)
	if err != nil {
		return answer{}, err
	}
	ctx = oidc.ClientContext(ctx, o.http)
	t, err := o.p.client("", d.Endpoint().TokenURL, s.Redirect, d.style).Exchange(ctx, code, oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return answer{}, o.p.refusal(err)
	}
	a, err := o.read(ctx, d, t, tokens{}, s.Nonce)
	if err == nil && a.claims == nil {
		err = o.p.away(errors.New("there is no id_token in its answer"))
	}
	return a, err
}

func (o *openID) refresh(ctx context.Context, old tokens) (answer, error) {
	if old.Refresh == "" {
		return answer{tokens: old}, nil
	}
	d, err := o.discover(ctx)
	if err != nil {
		return answer{}, err
	}
	ctx = oidc.ClientContext(ctx, o.http)
	t, err := o.p.client("", d.Endpoint().TokenURL, "", d.style).TokenSource(ctx, &oauth2.Token{RefreshToken: old.Refresh}).Token()
	if err != nil {
		return answer{}, o.p.refusal(err)
	}
	return o.read(ctx, d, t, old, "")
}

// read makes an answer of tokens. An empty nonce is not looked at: what comes by
// a refresh has none.
func (o *openID) read(ctx context.Context, d *discovered, t *oauth2.Token, old tokens, nonce string) (answer, error) {
	kept, err := o.p.kept(t, old)
	if err != nil {
		return answer{}, err
	}
	a := answer{tokens: kept}
	raw, _ := t.Extra("id_token").(string)
	subject := ""
	if raw != "" {
		id, err := o.verify(ctx, d, raw, nonce, kept.Access)
		if err != nil {
			// The new tokens go on with it: the old refresh token may be used up.
			return a, o.p.away(err)
		}
		subject = id.Subject
		if err := id.Claims(&a.claims); err != nil {
			return a, o.p.away(err)
		}
	}
	if !*o.p.Userinfo || !d.userinfo || raw == "" && nonce != "" {
		return a, nil
	}
	more, err := o.userinfo(ctx, d, kept.Access)
	switch {
	case err != nil:
		return a, err
	case subject != "" && more["sub"] != subject:
		return a, o.p.away(errors.New("its userinfo is about somebody else than its id_token"))
	case a.claims == nil:
		a.claims = map[string]any{}
	}
	for name, value := range more {
		if !slices.Contains(about, name) {
			a.claims[name] = value
		}
	}
	return a, nil
}

// about are the claims that are about the token, not about the person.
var about = []string{"iss", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "c_hash", "jti"}

// verify checks an id_token: signed by a key of the provider, issued by it, for
// this server, for this sign-in, and good now.
func (o *openID) verify(ctx context.Context, d *discovered, raw, nonce, access string) (*oidc.IDToken, error) {
	if len(raw) > maxAnswer {
		return nil, errors.New("its id_token is too long")
	}
	id, err := d.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	var says struct {
		For string `json:"azp"`
	}
	if err := id.Claims(&says); err != nil {
		return nil, err
	}
	switch {
	case nonce != "" && id.Nonce != nonce:
		return nil, errors.New("its id_token is of another sign-in")
	case says.For != "" && says.For != o.p.ClientID, says.For == "" && len(id.Audience) > 1:
		return nil, errors.New("its id_token was made for another client")
	case id.AccessTokenHash != "":
		return id, id.VerifyAccessToken(access)
	}
	return id, nil
}

func (o *openID) userinfo(ctx context.Context, d *discovered, access string) (map[string]any, error) {
	info, err := d.UserInfo(ctx, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: access, TokenType: "Bearer"}))
	if err != nil {
		return nil, o.p.away(err)
	}
	var raw json.RawMessage
	if err := info.Claims(&raw); err != nil {
		return nil, o.p.away(err)
	}
	var more map[string]any
	if err := json.Unmarshal(raw, &more); err != nil || more["sub"] != info.Subject {
		return nil, o.p.away(fmt.Errorf("its userinfo is none: %w", cmp.Or(err, errors.New("it is about nobody"))))
	}
	return more, nil
}
