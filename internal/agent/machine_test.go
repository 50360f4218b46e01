package agent

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/berthdev/berth/api"
)

// cloud is a metadata service of all three clouds, and a server that believes it.
func cloud(t *testing.T) (url string, tries *atomic.Int32) {
	t.Helper()
	mux, tries := http.NewServeMux(), &atomic.Int32{}
	say := func(pattern, header, value, text string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get(header) != value {
				http.Error(w, "no", http.StatusUnauthorized)
				return
			}
			_, _ = w.Write([]byte(text))
		})
	}
	say("PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds", "60", "session")
	say("GET /latest/dynamic/instance-identity/document", "X-aws-ec2-metadata-token", "session", `{"instanceId":"i-1"}`)
	say("GET /latest/dynamic/instance-identity/signature", "X-aws-ec2-metadata-token", "session", "c2ln\n")
	say("GET /metadata/attested/document", "Metadata", "true", `{"encoding":"pkcs7","signature":"c2ln"}`)
	mux.HandleFunc("GET /computeMetadata/v1/instance/service-accounts/default/identity", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Metadata-Flavor") != "Google" || r.FormValue("format") != "full" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		_, _ = w.Write([]byte("for " + r.FormValue("audience") + "\n"))
	})
	answer := func(pattern, want string) {
		mux.HandleFunc("POST "+api.Prefix+pattern, func(w http.ResponseWriter, r *http.Request) {
			var got map[string]string
			_ = json.NewDecoder(r.Body).Decode(&got)
			text, _ := json.Marshal(got)
			w.Header().Set("Content-Type", "application/json")
			if tries.Add(1) == 1 || !strings.Contains(string(text), want) { // at first the build has not ended
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = w.Write([]byte(`{"code":"unauthenticated","detail":"not yet"}`))
				return
			}
			_, _ = w.Write([]byte(`{"session_token":"token"}`))
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	answer("/agent/aws-instance-identity", `i-1`)
	answer("/agent/azure-instance-identity", `c2ln`)
	answer("/agent/google-instance-identity", `for `+server.URL)
	return server.URL, tries
}

func TestMachineToken(t *testing.T) {
	for _, auth := range []string{"aws-instance-identity", "azure-instance-identity", "google-instance-identity"} {
		t.Run(auth, func(t *testing.T) {
			url, tries := cloud(t)
			t.Setenv("BERTH_METADATA_URL", url)
			t.Setenv("CODER_AGENT_URL", url+"/")
			t.Setenv("CODER_AGENT_AUTH", auth)
			c, err := ConfigFromEnv()
			if err != nil {
				t.Fatal(err)
			}
			token, err := machineToken(t.Context(), c)
			if err != nil || token != "token" || tries.Load() != 2 {
				t.Errorf("%q, %v, after %d tries", token, err, tries.Load())
			}
		})
	}
}

func TestUnknownAuth(t *testing.T) {
	t.Setenv("CODER_AGENT_URL", "http://localhost")
	t.Setenv("CODER_AGENT_AUTH", "moon-instance-identity")
	if _, err := ConfigFromEnv(); err == nil || !strings.Contains(err.Error(), "moon-instance-identity") {
		t.Error(err)
	}
}
