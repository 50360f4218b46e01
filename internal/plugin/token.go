package plugin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"os"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

// keyVariable holds the workspace's agent key, base64.
const keyVariable = "BERTH_AGENT_KEY"

// keyLength is the length of an agent key in bytes.
const keyLength = 32

// AgentToken derives the token of the agent with this id from its workspace's
// key. It stays the same as long as both do.
func AgentToken(key []byte, agentID string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("berth agent token v1\x00" + agentID))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// keepTokens makes the tokens of p's coder_agent derived ones when there is an
// agent key. The published plugin makes a new token at every create and at
// every read, and so forces computers that carry it to be replaced.
func keepTokens(p *schema.Provider) *schema.Provider {
	agent := p.ResourcesMap["coder_agent"]
	agent.CreateContext = derived(agent.CreateContext)
	if agent.ReadWithoutTimeout != nil {
		agent.ReadWithoutTimeout = derived(agent.ReadWithoutTimeout)
	} else {
		agent.ReadContext = derived(agent.ReadContext)
	}
	return p
}

func derived[F ~func(context.Context, *schema.ResourceData, any) diag.Diagnostics](published F) F {
	return func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
		found := published(ctx, d, meta)
		text, set := os.LookupEnv(keyVariable)
		if found.HasError() || !set || text == "" || d.Id() == "" {
			return found
		}
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) != keyLength {
			return append(found, diag.Errorf("%s is not %d bytes in base64, so agent tokens cannot be made; this is a fault of the server", keyVariable, keyLength)...)
		}
		if err := d.Set("token", AgentToken(key, d.Id())); err != nil {
			return append(found, diag.FromErr(err)...)
		}
		return found
	}
}
