package credentials

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// loginLifetime bounds a workspace's own login for the case that nothing ends
// it; its stop does.
const loginLifetime = 5 * 365 * 24 * time.Hour

// SessionToken derives the token of a workspace's own login from its key: a new
// one for each start. Nobody stores it in clear.
func SessionToken(agentKey []byte, build berth.BuildID, claim string) string {
	h := hmac.New(sha256.New, agentKey)
	h.Write([]byte("berth session v1\x00" + string(build) + "\x00" + claim))
	return "berth_" + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// EnsureLogin makes the token of a workspace's start good, if it is not yet.
func (s *Service) EnsureLogin(ctx context.Context, w berth.Workspace, text string) error {
	err := s.db.Read(ctx, func(q *store.Query) error {
		_, _, err := q.TokenByHash(tokenHash(text))
		return err
	})
	if !errors.Is(err, berth.NotFound) {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		// Not for a workspace that is being stopped: the stop has ended it.
		newest, err := tx.NewestBuild(w.ID)
		if err != nil || newest.Transition != berth.Start {
			return err
		}
		return tx.PutWorkspaceToken(berth.Token{
			ID: berth.NewID[berth.Token](), UserID: w.OwnerID, Kind: berth.TokenWorkspace, Name: w.Name,
			Hash: tokenHash(text), WorkspaceID: w.ID, ExpiresAt: tx.Now.Add(loginLifetime),
		})
	})
}

// EndLogins ends all logins of a workspace but that with the token keep ("": all).
func EndLogins(tx *store.Tx, w berth.WorkspaceID, keep string) error {
	return tx.EndWorkspaceTokens(w, tokenHash(keep))
}

// EndLogin ends the login of one start that came to nothing.
func EndLogin(tx *store.Tx, w berth.WorkspaceID, token string) error {
	return tx.EndWorkspaceToken(w, tokenHash(token))
}

// tokenHash is what is stored of a token.
func tokenHash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
