package plugin

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/coder/terraform-provider-coder/v2/provider"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

func TestAgentToken(t *testing.T) {
	t.Parallel()
	key := []byte(strings.Repeat("k", keyLength))
	// Fixed for ever: the server and running workspaces have it too.
	if got := AgentToken(key, "agent"); got != "WTzBBXgzcGpUP2aQqNAoBbt2DAzXLxVC3_YrD-1OD8Q" {
		t.Errorf("token %s", got)
	}
	if AgentToken(key, "other") == AgentToken(key, "agent") || AgentToken([]byte(strings.Repeat("l", keyLength)), "agent") == AgentToken(key, "agent") {
		t.Error("tokens do not depend on both")
	}
}

func TestTokensStay(t *testing.T) {
	agent := func(key string) (create, read string, failed bool) {
		t.Setenv(keyVariable, key)
		p := keepTokens(provider.New())
		r := p.ResourcesMap["coder_agent"]
		d := schema.TestResourceDataRaw(t, r.Schema, map[string]any{"os": "linux", "arch": "amd64"})
		found := r.CreateContext(context.Background(), d, mustConfigure(t, p))
		create = d.Get("token").(string)
		found = append(found, r.ReadWithoutTimeout(context.Background(), d, p.Meta())...)
		if key != "" && !found.HasError() && create != AgentToken([]byte(strings.Repeat("k", keyLength)), d.Id()) {
			t.Error("not the derived token")
		}
		return create, d.Get("token").(string), found.HasError()
	}
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", keyLength)))
	if create, read, failed := agent(key); failed || create != read {
		t.Errorf("with a key: %q then %q, failed %v", create, read, failed)
	}
	if create, read, failed := agent(""); failed || create == "" || create == read {
		t.Errorf("without a key it must behave as published: %q then %q, failed %v", create, read, failed)
	}
	for _, bad := range []string{"!", "c2hvcnQ="} {
		if _, _, failed := agent(bad); !failed {
			t.Errorf("key %q passes", bad)
		}
	}
}

func mustConfigure(t *testing.T, p *schema.Provider) any {
	t.Helper()
	d := schema.TestResourceDataRaw(t, p.Schema, map[string]any{"url": "http://localhost"})
	meta, found := p.ConfigureContextFunc(context.Background(), d)
	if found.HasError() {
		t.Fatal(found)
	}
	p.SetMeta(meta)
	return meta
}
