package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/clientfile"
)

// connector speaks with a provider. What it gives is checked: it is from the
// provider, for this server and for this sign-in.
type connector interface {
	// authorize is where a browser goes to sign in.
	authorize(ctx context.Context, s secrets) (string, error)
	// exchange makes tokens and claims of the code that a browser brought.
	exchange(ctx context.Context, s secrets, code string) (answer, error)
	// refresh makes new tokens of old ones, where there is a refresh token, and
	// reads the claims anew. Claims of nil: the provider does not say.
	refresh(ctx context.Context, old tokens) (answer, error)
}

// secrets are what a sign-in goes on with, after it was begun.
type secrets struct {
	Redirect string `json:"redirect"`
	State    string `json:"-"`
	Verifier string `json:"verifier"`
	Nonce    string `json:"nonce"`
}

// answer is what a provider says of somebody.
type answer struct {
	tokens tokens
	claims map[string]any
}

// tokens are what is kept of a provider's, sealed as JSON.
type tokens struct {
	Access    string    `json:"access"`
	Refresh   string    `json:"refresh,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: not known to expire
}

// errRefused says that the provider does not take what it was given, and never
// will.
var errRefused = errors.New("the identity provider refused it")

// Bounds of a conversation with a provider.
const (
	providerTime = 15 * time.Second
	maxAnswer    = 1 << 20
	maxToken     = 16 << 10
	maxLogged    = 300
)

// newHTTP makes the client for a provider. It follows no redirects: they would
// carry secrets to where nobody configured.
func newHTTP(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &http.Client{Transport: bounded{transport}, Timeout: providerTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// bounded cuts off answers that are too long, unpacked ones too.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "berth")
	w, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		w.Body = &boundedBody{w.Body, maxAnswer}
	}
	return w, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the answer is too long")
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// away is the error of a provider that cannot be asked now, or says what cannot
// be.
func (p *Provider) away(err error) error {
	var in *url.Error
	if errors.As(err, &in) { // its text has the URL in it, and that may have secrets
		err = in.Err
	}
	if text := err.Error(); len(text) > maxLogged { // some have the whole answer in them
		err = errors.New(text[:maxLogged] + "…")
	}
	return &berth.Error{Code: berth.Unavailable, Err: err, Message: p.Name + " does not answer as it should now: try again in a moment, or ask an administrator"}
}

// client describes this server to a provider.
func (p *Provider) client(auth, token, redirect string, style oauth2.AuthStyle) *oauth2.Config {
	switch p.TokenAuth {
	case "basic":
		style = oauth2.AuthStyleInHeader
	case "body":
		style = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, RedirectURL: redirect, Scopes: p.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: auth, TokenURL: token, AuthStyle: style}}
}

// extra is what the administrator adds to requests to authorize.
func (p *Provider) extra() (options []oauth2.AuthCodeOption) {
	for name, value := range p.AuthParams {
		if !slices.Contains(clientfile.OwnParameters, name) {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	return options
}

// kept is what is kept of tokens. What the answer leaves out stays.
func (p *Provider) kept(t *oauth2.Token, old tokens) (tokens, error) {
	now := tokens{Access: t.AccessToken, Refresh: t.RefreshToken, ExpiresAt: t.Expiry.UTC()}
	if t.Expiry.IsZero() {
		now.ExpiresAt = time.Time{}
	}
	if now.Refresh == "" {
		now.Refresh = old.Refresh
	}
	if len(now.Access) > maxToken || len(now.Refresh) > maxToken || !printable(now.Access) || !printable(now.Refresh) {
		return tokens{}, p.away(errors.New("its tokens are none"))
	}
	return now, nil
}

// printable tells whether a token can stand in a header and a variable.
func printable(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// refusal is what an error of the token endpoint means: errRefused is about what
// was sent, every other error may pass.
func (p *Provider) refusal(err error) error {
	var e *oauth2.RetrieveError
	if !errors.As(err, &e) {
		return p.away(err)
	}
	switch e.ErrorCode {
	case "invalid_grant", "bad_refresh_token", "bad_verification_code", "expired_token":
		return fmt.Errorf("%s: %w", e.ErrorCode, errRefused)
	case "invalid_client", "unauthorized_client", "incorrect_client_credentials":
		return berth.Errorf(berth.Unavailable, "%s does not accept this server's client_id and client_secret: an administrator has to put that right in --sign-in", p.Name)
	}
	return p.away(fmt.Errorf("status %d, error %.40q", e.Response.StatusCode, e.ErrorCode))
}
