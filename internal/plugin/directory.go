package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/validation"

	"github.com/berthdev/berth"
)

func directoryResource() *schema.Resource {
	return &schema.Resource{
		Description:          "A directory on the host for the files of one workspace. It stays over stop and start and is removed with the workspace.",
		CreateWithoutTimeout: createDirectory,
		ReadWithoutTimeout:   readDirectory,
		DeleteWithoutTimeout: deleteDirectory,
		CustomizeDiff:        refuseEarly,
		Schema: map[string]*schema.Schema{
			"name": {
				Type: schema.TypeString, Required: true, ForceNew: true,
				Description:  "Its name among the directories of the workspace: letters, digits, '.', '_' and '-', beginning with a letter or digit.",
				ValidateFunc: validation.StringMatch(pathElement, "use letters, digits, '.', '_' and '-', and begin with a letter or digit"),
			},
			"path": {
				Type: schema.TypeString, Computed: true,
				Description: "Where it is on the host.",
			},
		},
	}
}

// refuseEarly makes a build fail at its plan rather than half way through its
// changes where processes on the host are not allowed.
func refuseEarly(_ context.Context, d *schema.ResourceDiff, _ any) error {
	if d.Id() != "" || !realBuild() {
		return nil
	}
	_, err := allowedHost()
	return err
}

func createDirectory(_ context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	h, err := allowedHost()
	if err != nil {
		return diag.FromErr(err)
	}
	name := d.Get("name").(string)
	path, err := h.makeDirectory(name)
	if err != nil {
		return diag.FromErr(err)
	}
	d.SetId(h.workspace + "/" + name)
	return diag.FromErr(d.Set("path", path))
}

func readDirectory(_ context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	h, err := anyHost()
	if err != nil {
		return nil // nothing can be said about it, so nothing is changed
	}
	path := h.path(d.Get("name").(string))
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return diag.FromErr(d.Set("path", path))
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return diag.FromErr(fmt.Errorf("looking for the directory: %w", err))
	}
	d.SetId("")
	return nil
}

func deleteDirectory(ctx context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	h, err := anyHost()
	if err != nil {
		return diag.FromErr(err)
	}
	// A process whose start was never recorded is in nobody's state; it goes
	// with the workspace at the latest.
	if os.Getenv("CODER_WORKSPACE_TRANSITION") == "destroy" {
		if err := EndWorkspace(ctx, h.workspace); err != nil {
			return diag.FromErr(fmt.Errorf("ending processes in the directory: %w", err))
		}
	}
	return diag.FromErr(h.removeDirectory(d.Get("name").(string)))
}

func (h host) path(name string) string { return filepath.Join(h.root, h.workspace, name) }

// makeDirectory makes the named directory of the workspace, or takes the one
// that is there: it may be left from a build whose state was lost.
func (h host) makeDirectory(name string) (string, error) {
	root, err := os.OpenRoot(h.root)
	if err != nil {
		return "", berth.Errorf(berth.Unavailable, "the directory for host processes cannot be opened (%v); the administrator of this workspace provider has to make it accessible to the user that builds run as", err)
	}
	defer root.Close()
	rel := filepath.Join(h.workspace, name)
	if !pathElement.MatchString(name) {
		return "", berth.InvalidField("name", "%q cannot be the name of a directory", name)
	}
	if err := root.MkdirAll(rel, 0o700); err != nil {
		return "", fmt.Errorf("making the directory: %w", err)
	}
	info, err := root.Lstat(rel)
	if err == nil && !info.IsDir() {
		err = berth.Errorf(berth.Conflict, "%s is there already and is not a directory; remove it and try again", h.path(name))
	}
	return h.path(name), err
}

// removeDirectory removes a directory of the workspace with all that is in it.
// Links in it are removed, never followed; nothing outside of the root can be
// reached, whatever its owner put there.
func (h host) removeDirectory(name string) error {
	if !pathElement.MatchString(name) {
		return berth.InvalidField("name", "%q cannot be the name of a directory", name)
	}
	root, err := os.OpenRoot(h.root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("removing the directory: %w", err)
	}
	defer root.Close()
	rel := filepath.Join(h.workspace, name)
	if err := root.RemoveAll(rel); errors.Is(err, fs.ErrPermission) {
		unlock(root, rel)
		err = root.RemoveAll(rel)
		if err != nil {
			return fmt.Errorf("removing the directory: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("removing the directory: %w", err)
	}
	_ = root.Remove(h.workspace) // the last one of its directories takes it along
	return nil
}

// unlock makes directories below rel writable for their owner. Package caches
// are often read-only, and would keep their directories from being removed.
func unlock(root *os.Root, rel string) {
	_ = fs.WalkDir(root.FS(), rel, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			_ = root.Chmod(path, 0o700)
		}
		return nil // what stays locked shows when it is removed
	})
}
