package workspaces_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/machines"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/workspaces"
)

// clouds trusts one region of AWS, for which sign signs.
func clouds(t *testing.T) (v *machines.Verifier, sign func(document string) string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "aws"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	must(t, err)
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "aws"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "aws", "eu.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	v, err = machines.Load(dir)
	must(t, err)
	return v, func(document string) string {
		sum := sha256.Sum256([]byte(document))
		b, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		must(t, err)
		return base64.StdEncoding.EncodeToString(b)
	}
}

func TestAgentsByMachine(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v, sign := clouds(t)
		keys, err := seal.Load(t.TempDir())
		must(t, err)
		h.workspaces = workspaces.New(h.db, keys, h.queue, accounts.New(h.db), h.templates, providers.New(h.db), workspaces.Options{AccessURL: "http://berth.test:7777", Machines: v})
		h.queue.SetKinds(builds.Kinds{Workspace: h.workspaces.Kind(), Import: h.templates.Kind()})
		h.push("dev", "v1", contents())
		start := func(name, instance, auth string) (berth.WorkspaceID, string) {
			v, err := h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: name, Template: "dev"})
			must(t, err)
			j, c := h.take()
			_, err = h.queue.Judge(t.Context(), c, berth.Plan{})
			must(t, err)
			r := started(t, j, 1)
			r.Agents[0].Auth, r.Agents[0].InstanceID = auth, instance
			must(t, h.queue.Finish(t.Context(), c, r))
			return v.Workspace.ID, r.Agents[0].Token
		}
		ask := func(document string) (string, error) {
			return h.workspaces.TokenByAWS(t.Context(), document, sign(document))
		}
		web, token := start("web", "i-1", "aws-instance-identity")
		start("other", "i-2", "token")
		if got, err := ask(`{"instanceId":"i-1"}`); err != nil || got != token {
			t.Errorf("%q, %v", got, err)
		}
		_, err = h.workspaces.TokenByAWS(t.Context(), `{"instanceId":"i-1"}`, sign("{}"))
		want(t, "a signature of another document", err, berth.Unauthenticated)
		_, err = ask(`{"instanceId":"i-2"}`)
		want(t, "a machine whose agent has a token", err, berth.Unauthenticated)
		_, err = ask(`{"instanceId":"i-3"}`)
		want(t, "a machine of nobody", err, berth.Unauthenticated)
		h.suspend(h.mel, berth.UserSuspended)
		_, err = ask(`{"instanceId":"i-1"}`)
		want(t, "of a suspended owner", err, berth.Forbidden)
		h.suspend(h.mel, berth.UserActive)
		start("thief", "i-1", "aws-instance-identity")
		_, err = ask(`{"instanceId":"i-1"}`)
		want(t, "a machine that two claim", err, berth.Unauthenticated)
		must(t, h.build(h.mel, web, workspaces.BuildInput{Transition: berth.Stop}))
		_, err = ask(`{"instanceId":"i-1"}`)
		want(t, "a machine whose workspace is stopped, and that another claims", err, berth.Unauthenticated)
		h.run(stopped(2))
		if got, err := ask(`{"instanceId":"i-1"}`); err != nil || got == token {
			t.Errorf("once its workspace has it no more: %v", err)
		}
	})
}
