// Command probe is a plugin for tests: its objects are files in a directory, and
// it says when it is in the middle of a change.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/plugin"
)

func main() {
	thing := &schema.Resource{
		CreateWithoutTimeout: create, ReadWithoutTimeout: read, UpdateWithoutTimeout: update, DeleteWithoutTimeout: remove,
		Importer: &schema.ResourceImporter{StateContext: schema.ImportStatePassthroughContext},
		Schema: map[string]*schema.Schema{
			"name":   {Type: schema.TypeString, Required: true, ForceNew: true},
			"text":   {Type: schema.TypeString, Optional: true},
			"fixed":  {Type: schema.TypeString, Optional: true, ForceNew: true},
			"broken": {Type: schema.TypeBool, Optional: true},
			"secret": {Type: schema.TypeString, Computed: true, Sensitive: true},
			"labels": {Type: schema.TypeMap, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}},
			"part": {Type: schema.TypeSet, Optional: true, Elem: &schema.Resource{Schema: map[string]*schema.Schema{
				"key":   {Type: schema.TypeString, Required: true},
				"count": {Type: schema.TypeInt, Optional: true},
			}}},
		},
	}
	plugin.Serve(&plugin.ServeOpts{ProviderAddr: "registry.terraform.io/berthdev/probe", ProviderFunc: func() *schema.Provider {
		return &schema.Provider{ResourcesMap: map[string]*schema.Resource{"probe_thing": thing, "probe_other": thing}}
	}})
}

// path is where an object is kept.
func path(name string) string { return filepath.Join(os.Getenv("PROBE_DIR"), "things", name) }

// moment tells whoever watches that a change is at this point, and takes its time.
// With PROBE_OBEYS it gives the change up where terraform tells it to stop.
func moment(ctx context.Context, what, name string) error {
	file, err := os.OpenFile(filepath.Join(os.Getenv("PROBE_DIR"), "moments"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		fmt.Fprintf(file, "%s %s %d\n", what, name, os.Getpid())
		file.Close()
	}
	wait, _ := time.ParseDuration(os.Getenv("PROBE_WAIT"))
	if os.Getenv("PROBE_OBEYS") == "" {
		ctx = context.Background()
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s %s: %w", what, name, ctx.Err())
	}
}

func create(ctx context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	name := d.Get("name").(string)
	if err := moment(ctx, "create", name); err != nil {
		return diag.FromErr(err)
	}
	if err := os.MkdirAll(filepath.Dir(path(name)), 0o700); err != nil {
		return diag.FromErr(err)
	}
	file, err := os.OpenFile(path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return diag.FromErr(err)
	}
	fmt.Fprint(file, d.Get("text"))
	file.Close()
	if err := moment(ctx, "created", name); err != nil {
		return diag.FromErr(err) // it is there, and terraform is not told of it
	}
	d.SetId(name)
	if err := d.Set("secret", "secret of "+name); err != nil {
		return diag.FromErr(err)
	}
	if d.Get("broken").(bool) {
		return diag.Errorf("%s is broken", name)
	}
	return nil
}

func read(_ context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	text, err := os.ReadFile(path(d.Id()))
	if errors.Is(err, fs.ErrNotExist) {
		d.SetId("")
		return nil
	}
	if err != nil {
		return diag.FromErr(err)
	}
	return diag.FromErr(errors.Join(d.Set("text", string(text)), d.Set("name", d.Id()), d.Set("secret", "secret of "+d.Id())))
}

func update(ctx context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	if err := moment(ctx, "update", d.Id()); err != nil {
		return diag.FromErr(err)
	}
	if err := os.WriteFile(path(d.Id()), []byte(d.Get("text").(string)), 0o600); err != nil {
		return diag.FromErr(err)
	}
	return diag.FromErr(moment(ctx, "updated", d.Id()))
}

func remove(ctx context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	if err := moment(ctx, "delete", d.Id()); err != nil {
		return diag.FromErr(err)
	}
	if err := os.Remove(path(d.Id())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return diag.FromErr(err)
	}
	return diag.FromErr(moment(ctx, "deleted", d.Id()))
}
