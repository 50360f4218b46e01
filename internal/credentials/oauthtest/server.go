// Package oauthtest is a real OAuth2 server for tests, over real HTTP: sign-in
// by authorization code with PKCE, refresh tokens that change with each use, the
// revocation of a family whose old refresh token comes back, validation and
// revocation. It speaks OpenID Connect too, with all the ways to do that wrong,
// and as much of GitHub's API as signing in needs.
package oauthtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Client is the application that the server knows.
const (
	ClientID     = "berth-app"
	ClientSecret = "the-app's secret/+"
)

// Server is a running OAuth2 server with one account.
type Server struct {
	URL string

	mu      sync.Mutex
	set     Settings
	key     *rsa.PrivateKey
	codes   map[string]code
	access  map[string]string // family of a good access token
	refresh map[string]string // family of a good refresh token
	used    map[string]string // family of a refresh token that was used
	secrets []string
	counts  map[string]int
}

// code is a sign-in that waits to be exchanged.
type code struct{ challenge, redirect, nonce string }

// Start starts a server for the time of a test.
func Start(t testing.TB) *Server {
	s := &Server{set: Settings{Account: "octo", Lifetime: time.Hour}, key: signingKey(), codes: map[string]code{}, access: map[string]string{}, refresh: map[string]string{},
		used: map[string]string{}, counts: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /revoke", s.revoke)
	mux.HandleFunc("GET /user", s.user)
	s.openID(mux)
	s.gitHub(mux)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.behave(w, r) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.counts[r.URL.Path]++
		if s.set.Down {
			http.Error(w, "a bad day", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	s.URL = h.URL
	return s
}

// Config describes the server as --external-auth wants it.
func (s *Server) Config(id, match string) string {
	b, err := json.Marshal([]map[string]any{{
		"id": id, "type": "oauth2", "name": "Octo", "client_id": ClientID, "client_secret": ClientSecret, "auth_url": s.URL + "/authorize?tenant=1",
		"token_url": s.URL + "/token", "validate_url": s.URL + "/user", "revoke_url": s.URL + "/revoke", "scopes": []string{"repo"}, "match": match,
	}})
	if err != nil {
		panic(err) // texts can always be encoded
	}
	return string(b)
}

// Set changes the server while nobody asks it.
func (s *Server) Set(change func(s *Settings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.set)
}

// Settings are how the server behaves.
type Settings struct {
	Account  string        // who signs in
	Lifetime time.Duration // of access tokens; 0: for ever, without refresh tokens
	Down     bool          // it answers 503 to everything

	Claims   map[string]any                // of who signs in, by OpenID Connect
	Userinfo map[string]any                // what the userinfo endpoint says besides; its sub may lie
	Evil     func(claims map[string]any)   // changes what id_tokens say
	Sign     string                        // how id_tokens are signed: "" well, or none, secret, other
	NoID     bool                          // there is no id_token
	Discover func(document map[string]any) // changes what it says of itself
	Page     bool                          // people are asked before they are sent back
	Slow     map[string]time.Duration      // by path
	Long     map[string]bool               // paths that answer with 10 MB
	GitHub   GitHub
}

// Count is how often a path was asked for.
func (s *Server) Count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[path]
}

// Secrets are all codes and tokens that were ever given out.
func (s *Server) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{ClientSecret}, s.secrets...)
}

// Good tells whether an access token is accepted.
func (s *Server) Good(access string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.access[access] != ""
}

// Forget makes all tokens bad, as if the person had removed the application.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
	clear(s.refresh)
}

// ForgetAccess makes access tokens bad before their time.
func (s *Server) ForgetAccess() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// authorize agrees at once, as the person would, or asks them.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("state") == "" || q.Get("tenant") != "1" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	if s.set.Page && q.Get("agreed") == "" {
		s.ask(w, r)
		return
	}
	text := s.secret("code")
	s.codes[text] = code{q.Get("code_challenge"), q.Get("redirect_uri"), q.Get("nonce")}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {text}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if !known(r) {
		fail(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	family, nonce := "", ""
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		c, ok := s.codes[r.PostFormValue("code")]
		delete(s.codes, r.PostFormValue("code"))
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if !ok || base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge || r.PostFormValue("redirect_uri") != c.redirect {
			fail(w, http.StatusBadRequest, "invalid_grant")
			return
		}
		family, nonce = s.secret("family"), c.nonce
	case "refresh_token":
		old := r.PostFormValue("refresh_token")
		if f := s.used[old]; f != "" { // it was stolen, or lost: nobody of the family may go on
			s.end(f)
		}
		if family = s.refresh[old]; family == "" {
			fail(w, http.StatusBadRequest, "invalid_grant")
			return
		}
		delete(s.refresh, old)
		s.used[old] = family
	default:
		fail(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	access := s.secret("access")
	s.access[access] = family
	answer := map[string]any{"access_token": access, "token_type": "bearer", "scope": "repo", "authed_user": map[string]any{"id": "U1"}}
	if s.set.Lifetime > 0 {
		refresh := s.secret("refresh")
		s.refresh[refresh] = family
		answer["refresh_token"], answer["expires_in"] = refresh, int(s.set.Lifetime.Seconds())
	}
	if s.set.Claims != nil && !s.set.NoID {
		answer["id_token"] = s.idToken(nonce, access)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if !known(r) {
		fail(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	token := r.PostFormValue("token")
	if f := s.refresh[token]; f != "" {
		s.end(f)
	}
	if f := s.access[token]; f != "" {
		s.end(f)
	}
}

func (s *Server) user(w http.ResponseWriter, r *http.Request) {
	if token := r.Header.Get("Authorization"); len(token) < 8 || s.access[token[7:]] == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"login": s.set.Account})
}

// end ends all tokens of a family.
func (s *Server) end(family string) {
	for _, tokens := range []map[string]string{s.access, s.refresh} {
		for t, f := range tokens {
			if f == family {
				delete(tokens, t)
			}
		}
	}
}

func (s *Server) secret(kind string) string {
	b := make([]byte, 12)
	rand.Read(b)
	text := kind + "-" + hex.EncodeToString(b)
	s.secrets = append(s.secrets, text)
	return text
}

func known(r *http.Request) bool {
	id, secret, ok := r.BasicAuth()
	plainID, _ := url.QueryUnescape(id)
	plainSecret, _ := url.QueryUnescape(secret)
	if !ok {
		plainID, plainSecret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	return plainID == ClientID && plainSecret == ClientSecret
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
}
