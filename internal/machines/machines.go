// Package machines verifies the documents by which machines of AWS, Google Cloud
// and Azure prove which machine they are. What it gives is the machine's id in
// its cloud. It knows no agents and no server.
package machines

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/smallstep/pkcs7"

	"github.com/berthdev/berth"
)

// Verifier holds the keys of the clouds.
type Verifier struct {
	aws          []*x509.Certificate
	azureRoots   *x509.CertPool
	azureBetween []*x509.Certificate
	google       func(context.Context) (jose.JSONWebKeySet, error)
	now          func() time.Time
}

// Load reads the certificates in a directory: aws/*.pem, one of each region;
// azure/*.pem, of authorities beside those that this computer trusts; and
// google.json, a set of keys, without which Google is asked for its own. An empty
// name is a directory with nothing in it.
func Load(dir string) (*Verifier, error) {
	v := &Verifier{now: time.Now}
	if v.azureRoots, _ = x509.SystemCertPool(); v.azureRoots == nil {
		v.azureRoots = x509.NewCertPool()
	}
	keys := &googleKeys{ask: askGoogle}
	v.google = keys.get
	if dir == "" {
		return v, nil
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, berth.Errorf(berth.Invalid, "the directory of the clouds' certificates cannot be read: %v", err)
	}
	var err error
	if v.aws, err = certificates(filepath.Join(dir, "aws")); err != nil {
		return nil, err
	}
	azure, err := certificates(filepath.Join(dir, "azure"))
	if err != nil {
		return nil, err
	}
	for _, c := range azure {
		if c.CheckSignatureFrom(c) == nil {
			v.azureRoots.AddCert(c)
		} else {
			v.azureBetween = append(v.azureBetween, c)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "google.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) == 0 {
		return nil, berth.Errorf(berth.Invalid, "%s is no set of keys in JSON (JWKS)", filepath.Join(dir, "google.json"))
	}
	v.google = func(context.Context) (jose.JSONWebKeySet, error) { return set, nil }
	return v, nil
}

func certificates(dir string) ([]*x509.Certificate, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil {
		return nil, err
	}
	var list []*x509.Certificate
	for _, name := range names {
		rest, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, berth.Errorf(berth.Invalid, "%s: %v", name, err)
			}
			list = append(list, c)
		}
	}
	return list, nil
}

func refused(cloud, because string) error {
	return berth.Errorf(berth.Unauthenticated, "the machine's document is not one of %s: %s", cloud, because)
}

// AWS is the instance that an identity document names, if one of the
// certificates signed it.
func (v *Verifier) AWS(document, signature string) (string, error) {
	if len(v.aws) == 0 {
		return "", berth.Errorf(berth.Unavailable, "this server has no certificate of AWS, so agents cannot prove themselves by it: an administrator puts that of the region into the directory of --instance-certificates")
	}
	sign, err := plain(signature)
	if err != nil {
		return "", refused("AWS", "its signature cannot be read")
	}
	good := false
	for _, c := range v.aws {
		good = good || c.CheckSignature(x509.SHA256WithRSA, []byte(document), sign) == nil
	}
	if !good {
		return "", refused("AWS", "no certificate that this server has signed it")
	}
	var d struct {
		ID string `json:"instanceId"`
	}
	if json.Unmarshal([]byte(document), &d) != nil || d.ID == "" {
		return "", refused("AWS", "it names no instance")
	}
	return d.ID, nil
}

// plain decodes base64 that may be broken into lines.
func plain(text string) ([]byte, error) {
	const most = 64 << 10 // many times what clouds send; anybody may send more
	if len(text) > most {
		return nil, errors.New("it is too long")
	}
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
}

// Azure is the machine that an attested document names, if Azure's metadata
// service signed it and it has not expired.
func (v *Verifier) Azure(signature string) (string, error) {
	der, err := plain(signature)
	if err != nil {
		return "", refused("Azure", "it cannot be read")
	}
	p7, err := pkcs7.Parse(der)
	if err != nil {
		return "", refused("Azure", "it cannot be read")
	}
	signer := p7.GetOnlySigner()
	if signer == nil {
		return "", refused("Azure", "it does not have one signer")
	}
	name := strings.ToLower(signer.Subject.CommonName)
	if name != "metadata.azure.com" && !strings.HasSuffix(name, ".metadata.azure.com") {
		return "", refused("Azure", "its signer is not the metadata service")
	}
	p7.Certificates = append(p7.Certificates, v.azureBetween...)
	if err := p7.VerifyWithChainAtTime(v.azureRoots, v.now()); err != nil {
		return "", refused("Azure", "nobody whom this server trusts vouches for its signer, or its signature is wrong")
	}
	var d struct {
		ID   string `json:"vmId"`
		Time struct {
			Expires string `json:"expiresOn"`
		} `json:"timeStamp"`
	}
	if json.Unmarshal(p7.Content, &d) != nil || d.ID == "" {
		return "", refused("Azure", "it names no machine")
	}
	expires, err := time.Parse("01/02/06 15:04:05 -0700", d.Time.Expires)
	if err != nil || v.now().After(expires) {
		return "", refused("Azure", "it has expired")
	}
	return d.ID, nil
}

// Google is the instance that an identity token names, if Google signed it for
// this audience.
func (v *Verifier) Google(ctx context.Context, token, audience string) (string, error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return "", refused("Google", "it is no token that RS256 signed")
	}
	set, err := v.google(ctx)
	if err != nil {
		return "", &berth.Error{Code: berth.Unavailable, Message: "the keys of Google cannot be had now, so the machine's document cannot be checked", Err: err}
	}
	var said jwt.Claims
	var d struct {
		Google struct {
			Engine struct {
				ID string `json:"instance_id"`
			} `json:"compute_engine"`
		} `json:"google"`
	}
	if err := parsed.Claims(set, &said, &d); err != nil {
		return "", refused("Google", "its signature is wrong")
	}
	if said.Issuer != "https://accounts.google.com" && said.Issuer != "accounts.google.com" {
		return "", refused("Google", "somebody else issued it")
	}
	if said.Expiry == nil || said.Validate(jwt.Expected{AnyAudience: jwt.Audience{audience}, Time: v.now()}) != nil {
		return "", refused("Google", "it is for another server, or has expired")
	}
	if d.Google.Engine.ID == "" {
		return "", refused("Google", "it names no instance; the machine has to ask for the full format")
	}
	return d.Google.Engine.ID, nil
}
