package oauthtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signingKey is one key for all servers of a test run: making one takes long.
var signingKey = sync.OnceValue(newKey)

var otherKey = sync.OnceValue(newKey)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// openID adds what OpenID Connect wants besides.
func (s *Server) openID(mux *http.ServeMux) {
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discover)
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /userinfo", s.userinfo)
}

// behave does what bad days have in common; false: the answer is given.
func (s *Server) behave(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	slow, long := s.set.Slow[r.URL.Path], s.set.Long[r.URL.Path]
	s.mu.Unlock()
	if slow > 0 {
		_ = r.ParseForm() // with a body that is not read, nobody sees the caller go
		select {
		case <-time.After(slow):
		case <-r.Context().Done():
			return false
		}
	}
	if !long {
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	piece := []byte(strings.Repeat(" ", 1<<16))
	for range 10 << 20 / len(piece) {
		if _, err := w.Write(piece); err != nil {
			return false
		}
	}
	_, _ = w.Write([]byte("{}"))
	return false
}

// discover is the server's description of itself.
func (s *Server) discover(w http.ResponseWriter, _ *http.Request) {
	document := map[string]any{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize?tenant=1", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/jwks",
		"userinfo_endpoint": s.URL + "/userinfo", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256", "none", "HS256"}, "token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
	}
	if s.set.Discover != nil {
		s.set.Discover(document)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document)
}

func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	if token := r.Header.Get("Authorization"); len(token) < 8 || s.access[token[7:]] == "" || s.set.Claims == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	info := map[string]any{"sub": s.set.Claims["sub"]}
	maps.Copy(info, s.set.Userinfo)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(info)
}

// idToken says who signs in.
func (s *Server) idToken(nonce, access string) string {
	sum := sha256.Sum256([]byte(access))
	claims := map[string]any{"iss": s.URL, "aud": ClientID, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:crypto.SHA256.Size()/2])}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	maps.Copy(claims, s.set.Claims)
	if s.set.Evil != nil {
		s.set.Evil(claims)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err) // it was read from JSON, or written by a test
	}
	signing := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: s.key, KeyID: "k1"}}
	switch s.set.Sign {
	case "none":
		head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`))
		return head + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
	case "secret":
		signing = jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat(ClientSecret, 2))}
	case "other":
		signing.Key = jose.JSONWebKey{Key: otherKey(), KeyID: "k1"}
	}
	signer, err := jose.NewSigner(signing, nil)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

var askPage = template.Must(template.New("ask").Parse(`<!doctype html><title>The provider</title><h1>Sign in to {{.Client}}?</h1>
<form>{{range $k, $v := .Query}}<input type="hidden" name="{{$k}}" value="{{index $v 0}}">{{end}}<button name="agreed" value="yes">Agree</button></form>`))

// ask shows the page on which the person agrees.
func (s *Server) ask(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_ = askPage.Execute(w, map[string]any{"Client": ClientID, "Query": r.URL.Query()})
}

// SignIn describes the server as --sign-in wants it, as type oidc or github.
func (s *Server) SignIn(kind, id string, more map[string]any) map[string]any {
	entry := map[string]any{"id": id, "type": kind, "client_id": ClientID, "client_secret": ClientSecret}
	if kind == "github" {
		entry["base_url"] = s.URL
	} else {
		entry["issuer"] = s.URL
	}
	maps.Copy(entry, more)
	return entry
}
