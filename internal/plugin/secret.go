package plugin

import (
	"cmp"
	"context"
	"encoding/hex"
	"os"
	"regexp"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/validation"
)

// withSecrets adds coder_secret to p unless the published plugin has it: a secret
// of the workspace's owner, by the variable or the file that it is in workspaces.
func withSecrets(p *schema.Provider) *schema.Provider {
	if _, there := p.DataSourcesMap["coder_secret"]; !there {
		p.DataSourcesMap["coder_secret"] = secretSource()
	}
	return p
}

func secretSource() *schema.Resource {
	place := []string{"env", "file"}
	return &schema.Resource{
		Description: "A secret that the owner of the workspace keeps, which the workspace cannot start without.",
		ReadContext: readSecret,
		Schema: map[string]*schema.Schema{
			"env": {Type: schema.TypeString, Optional: true, ExactlyOneOf: place,
				ValidateFunc: validation.StringMatch(regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`), "it has to be the name of a variable"),
				Description:  "The variable that the secret is in workspaces."},
			"file": {Type: schema.TypeString, Optional: true, ExactlyOneOf: place,
				ValidateFunc: validation.StringMatch(regexp.MustCompile(`^(/|~/).`), "it has to begin with / or ~/"),
				Description:  "The file that the secret is in workspaces."},
			"help_message": {Type: schema.TypeString, Required: true, ValidateFunc: validation.StringIsNotEmpty,
				Description: "Shown to owners who do not have the secret: what it is and where to get it."},
			"value": {Type: schema.TypeString, Computed: true, Sensitive: true, Description: "The secret itself."},
		},
	}
}

func readSecret(_ context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	env, file := d.Get("env").(string), d.Get("file").(string)
	variable := "CODER_SECRET_ENV_" + env
	if env == "" {
		variable = "CODER_SECRET_FILE_" + hex.EncodeToString([]byte(file))
	}
	value := os.Getenv(variable)
	d.SetId(cmp.Or(env, file))
	if err := d.Set("value", value); err != nil {
		return diag.FromErr(err)
	}
	// Whoever stops or deletes a workspace must not need what they have lost.
	starting := cmp.Or(os.Getenv("CODER_WORKSPACE_TRANSITION"), "start") == "start"
	if value != "" || !starting || os.Getenv("CODER_WORKSPACE_BUILD_ID") == "" {
		return nil
	}
	return diag.Diagnostics{{Severity: diag.Error, Summary: "Missing secret", Detail: "The owner of the workspace has no secret that is " +
		cmp.Or(env, file) + " in workspaces. " + d.Get("help_message").(string)}}
}
