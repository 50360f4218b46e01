package machines

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
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/smallstep/pkcs7"

	"github.com/berthdev/berth"
)

// signer is a certificate with its key.
type signer struct {
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

func made(t testing.TB, name string, by *signer) *signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: by == nil || by.cert.Subject.CommonName == "root", BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	parent, parentKey := c, key
	if by != nil {
		parent, parentKey = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{key, cert}
}

func (s *signer) write(t testing.TB, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func loaded(t testing.TB, dir string) *Verifier {
	t.Helper()
	v, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func is(t *testing.T, what, id string, err error, want string, code berth.Code) {
	t.Helper()
	if id != want || code == "" && err != nil || code != "" && !errors.Is(err, code) {
		t.Errorf("%s: %q, %v", what, id, err)
	}
}

func TestAWS(t *testing.T) {
	t.Parallel()
	dir, region, other := t.TempDir(), made(t, "aws", nil), made(t, "aws", nil)
	region.write(t, filepath.Join(dir, "aws", "eu.pem"))
	v := loaded(t, dir)
	sign := func(s *signer, document string) string {
		sum := sha256.Sum256([]byte(document))
		b, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		text := base64.StdEncoding.EncodeToString(b)
		return text[:64] + "\n" + text[64:]
	}
	document := `{"instanceId":"i-1","accountId":"1"}`
	ask := func(document, signature string) (string, error) { return v.AWS(document, signature) }
	id, err := ask(document, sign(region, document))
	is(t, "good", id, err, "i-1", "")
	id, err = ask(`{"instanceId":"i-2","accountId":"1"}`, sign(region, document))
	is(t, "another document", id, err, "", berth.Unauthenticated)
	id, err = ask(document, sign(other, document))
	is(t, "another signer", id, err, "", berth.Unauthenticated)
	id, err = ask(document, "!")
	is(t, "no signature", id, err, "", berth.Unauthenticated)
	id, err = ask(`{}`, sign(region, `{}`))
	is(t, "no instance", id, err, "", berth.Unauthenticated)
	id, err = loaded(t, "").AWS(document, sign(region, document))
	is(t, "without certificates", id, err, "", berth.Unavailable)
}

func TestAzure(t *testing.T) {
	t.Parallel()
	dir, root := t.TempDir(), made(t, "root", nil)
	between := made(t, "between", root)
	service := made(t, "eastus.metadata.azure.com", between)
	root.write(t, filepath.Join(dir, "azure", "root.pem"))
	between.write(t, filepath.Join(dir, "azure", "between.pem"))
	v := loaded(t, dir)
	sign := func(s *signer, content string) string {
		d, err := pkcs7.NewSignedData([]byte(content))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.AddSigner(s.cert, s.key, pkcs7.SignerInfoConfig{}); err != nil {
			t.Fatal(err)
		}
		der, err := d.Finish()
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(der)
	}
	content := func(expires time.Time) string {
		return `{"vmId":"vm-1","timeStamp":{"expiresOn":"` + expires.UTC().Format("01/02/06 15:04:05 -0700") + `"}}`
	}
	later := time.Now().Add(time.Hour)
	id, err := v.Azure(sign(service, content(later)))
	is(t, "good", id, err, "vm-1", "")
	id, err = v.Azure(sign(service, content(time.Now().Add(-time.Minute))))
	is(t, "expired", id, err, "", berth.Unauthenticated)
	id, err = v.Azure(sign(made(t, "eastus.metadata.azure.com", nil), content(later)))
	is(t, "another authority", id, err, "", berth.Unauthenticated)
	id, err = v.Azure(sign(made(t, "evil.example.com", between), content(later)))
	is(t, "another service", id, err, "", berth.Unauthenticated)
	id, err = v.Azure("AAAA")
	is(t, "nothing", id, err, "", berth.Unauthenticated)
}

func TestGoogle(t *testing.T) {
	t.Parallel()
	dir, key := t.TempDir(), made(t, "google", nil).key
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "google.json"), set, 0o600); err != nil {
		t.Fatal(err)
	}
	v := loaded(t, dir)
	sign := func(key *rsa.PrivateKey, said jwt.Claims, instance string) string {
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := jwt.Signed(s).Claims(said).Claims(map[string]any{"google": map[string]any{"compute_engine": map[string]any{"instance_id": instance}}}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := jwt.Claims{Issuer: "https://accounts.google.com", Audience: jwt.Audience{"https://berth.example"}, Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour))}
	changed := func(change func(*jwt.Claims)) jwt.Claims { c := good; change(&c); return c }
	for name, test := range map[string]struct {
		token string
		want  string
	}{
		"good":             {sign(key, good, "42"), "42"},
		"another key":      {sign(made(t, "x", nil).key, good, "42"), ""},
		"another audience": {sign(key, changed(func(c *jwt.Claims) { c.Audience = jwt.Audience{"https://evil.example"} }), "42"), ""},
		"another issuer":   {sign(key, changed(func(c *jwt.Claims) { c.Issuer = "https://evil.example" }), "42"), ""},
		"expired":          {sign(key, changed(func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(time.Now().Add(-time.Hour)) }), "42"), ""},
		"endless":          {sign(key, changed(func(c *jwt.Claims) { c.Expiry = nil }), "42"), ""},
		"no instance":      {sign(key, good, ""), ""},
		"nothing":          {"x.y.z", ""},
	} {
		id, err := v.Google(t.Context(), test.token, "https://berth.example")
		code := berth.Code("")
		if test.want == "" {
			code = berth.Unauthenticated
		}
		is(t, name, id, err, test.want, code)
	}
}
