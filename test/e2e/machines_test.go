package e2e

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/smallstep/pkcs7"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/test/harness"
)

// signer is a key with a certificate.
type signer struct {
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

func newSigner(t *testing.T, name string, by *signer) *signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: by == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	s := &signer{key: key, cert: c}
	if by == nil {
		by = s
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	if s.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return s
}

// clouds are three of them, by the keys that sign what their machines show.
type clouds struct {
	t                *testing.T
	aws, root, azure *signer
	google           *signer
}

func newClouds(t *testing.T) *clouds {
	c := &clouds{t: t, aws: newSigner(t, "aws", nil), root: newSigner(t, "root", nil), google: newSigner(t, "google", nil)}
	c.azure = newSigner(t, "westeurope.metadata.azure.com", c.root)
	return c
}

// certificates is the directory by which a server believes these clouds.
func (c *clouds) certificates() string {
	c.t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &c.google.key.PublicKey, KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	if err != nil {
		c.t.Fatal(err)
	}
	return harness.Files(c.t, map[string]string{"aws/eu.pem": pemOf(c.aws), "azure/root.pem": pemOf(c.root), "google.json": string(set)})
}

func pemOf(s *signer) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw}))
}

func (c *clouds) awsDocument(machine string) api.AWSIdentity {
	document := fmt.Sprintf(`{"instanceId": %q, "accountId": "1"}`, machine)
	sum := sha256.Sum256([]byte(document))
	sign, err := rsa.SignPKCS1v15(rand.Reader, c.aws.key, crypto.SHA256, sum[:])
	if err != nil {
		c.t.Error(err)
	}
	return api.AWSIdentity{Document: document, Signature: base64.StdEncoding.EncodeToString(sign)}
}

func (c *clouds) azureDocument(machine string, lives time.Duration) api.AzureIdentity {
	d, err := pkcs7.NewSignedData(fmt.Appendf(nil, `{"vmId": %q, "timeStamp": {"expiresOn": %q}}`, machine, time.Now().Add(lives).UTC().Format("01/02/06 15:04:05 -0700")))
	if err == nil {
		err = d.AddSigner(c.azure.cert, c.azure.key, pkcs7.SignerInfoConfig{})
	}
	if err != nil {
		c.t.Error(err)
	}
	der, err := d.Finish()
	if err != nil {
		c.t.Error(err)
	}
	return api.AzureIdentity{Encoding: "pkcs7", Signature: base64.StdEncoding.EncodeToString(der)}
}

func (c *clouds) googleDocument(machine, audience string, lives time.Duration) api.GoogleIdentity {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: c.google.key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		c.t.Error(err)
		return api.GoogleIdentity{}
	}
	text, err := jwt.Signed(s).Claims(jwt.Claims{Issuer: "https://accounts.google.com", Audience: jwt.Audience{audience}, Expiry: jwt.NewNumericDate(time.Now().Add(lives))}).
		Claims(map[string]any{"google": map[string]any{"compute_engine": map[string]any{"instance_id": machine}}}).Serialize()
	if err != nil {
		c.t.Error(err)
	}
	return api.GoogleIdentity{Token: text}
}

// metadata is the metadata service of a machine: http://169.254.169.254 and the
// like.
func (c *clouds) metadata(machine string, lives time.Duration) string {
	mux := http.NewServeMux()
	guarded := func(pattern, header, value string, answer func(r *http.Request) string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get(header) != value {
				http.Error(w, "no", http.StatusUnauthorized)
				return
			}
			fmt.Fprint(w, answer(r))
		})
	}
	guarded("PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds", "60", func(*http.Request) string { return "session" })
	guarded("GET /latest/dynamic/instance-identity/document", "X-aws-ec2-metadata-token", "session", func(*http.Request) string { return c.awsDocument(machine).Document })
	guarded("GET /latest/dynamic/instance-identity/signature", "X-aws-ec2-metadata-token", "session", func(*http.Request) string { return c.awsDocument(machine).Signature })
	guarded("GET /metadata/attested/document", "Metadata", "true", func(*http.Request) string {
		text, _ := json.Marshal(c.azureDocument(machine, lives))
		return string(text)
	})
	guarded("GET /computeMetadata/v1/instance/service-accounts/default/identity", "Metadata-Flavor", "Google", func(r *http.Request) string {
		return c.googleDocument(machine, r.FormValue("audience"), lives).Token
	})
	server := httptest.NewServer(mux)
	c.t.Cleanup(server.Close)
	return server.URL
}

// Agents without a token: each machine shows the document of its cloud, and is
// reached. What is forged, has expired, is of another server or comes again while
// the agent is connected gets nothing.
func TestAgentsProveThemselvesByTheirMachines(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	binary, c, evil := ownAgent(t), newClouds(t), newClouds(t)
	s := harness.Start(t, harness.Options{Args: []string{"--instance-certificates", c.certificates()}})
	s.Berth("templates", "push", "machines", "-d", filepath.Join(harness.Root(), "test", "templates", "machines"))
	s.Berth("create", "web", "-t", "machines", "-y")
	nobody, err := client.New(s.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	hour := time.Hour
	ways := func(c *clouds, audience string, lives time.Duration) map[string]func(machine string) error {
		return map[string]func(machine string) error{
			"aws": func(m string) error { _, err := nobody.AgentByAWS(t.Context(), c.awsDocument(m)); return err },
			"azure": func(m string) error {
				_, err := nobody.AgentByAzure(t.Context(), c.azureDocument(m, lives))
				return err
			},
			"google": func(m string) error {
				_, err := nobody.AgentByGoogle(t.Context(), c.googleDocument(m, audience, lives))
				return err
			},
		}
	}
	refused := func(what, says string, ways map[string]func(string) error, machine string, clouds ...string) {
		t.Helper()
		for _, cloud := range clouds {
			m := machine
			if m == "" {
				m = "i-" + cloud
			}
			if err := ways[cloud](m); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s, of %s: %v", what, cloud, err)
			}
		}
	}
	refused("a forged document", "is not one of", ways(evil, s.URL, hour), "", "aws", "azure", "google")
	refused("an expired document", "has expired", ways(c, s.URL, -time.Minute), "", "azure", "google")
	refused("a document for another server", "is for another server", ways(c, "https://evil.example.com", hour), "", "google")
	refused("another machine", "no agent of a workspace that was started", ways(c, s.URL, hour), "i-other", "aws", "azure", "google")
	refused("a machine of another cloud", "no agent of a workspace that was started", ways(c, s.URL, hour), "i-aws", "azure", "google")

	// An agent of a cloud that lies waits; with a cloud that does not it links.
	prove := func(cloud, at string) func() string {
		return lonelyAgent(t, binary, s.URL, "", "CODER_AGENT_AUTH="+cloud+"-instance-identity", "BERTH_METADATA_URL="+at)
	}
	log := prove("aws", evil.metadata("i-aws", hour))
	harness.Eventually(t, time.Minute, func() string {
		if text := log(); !strings.Contains(text, "no certificate that this server has signed it") {
			return text
		}
		return ""
	})
	for _, cloud := range []string{"aws", "azure", "google"} {
		prove(cloud, c.metadata("i-"+cloud, hour))
		if out := s.Berth("ssh", "web."+cloud, "--", "echo", "in", cloud); out != "in "+cloud+"\n" {
			t.Errorf("%s: %q", cloud, out)
		}
	}
	refused("a document that comes again", "is connected, so this document may be a copy", ways(c, s.URL, hour), "", "aws", "azure", "google")

	// Who names a machine of somebody else's gets nothing, and leaves what is
	// connected alone.
	mel := s.Person("mel")
	mel.Berth("create", "thief", "-t", "machines", "-y")
	refused("a machine that two claim", "several agents claim the machine", ways(c, s.URL, hour), "", "aws", "azure", "google")
	if out := s.Berth("ssh", "web.aws", "--", "echo", "still"); out != "still\n" {
		t.Errorf("after another claim: %q", out)
	}
	if text, err := os.ReadFile(s.Data + ".log"); err != nil || !strings.Contains(string(text), "is claimed by the agents aws of workspace ") {
		t.Errorf("the log does not say who claims a machine: %v", err)
	}
}
