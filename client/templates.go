package client

import (
	"context"
	"io"
	"net/http"

	"github.com/berthdev/berth/api"
)

// UploadArchive sends a tar, plain or packed with gzip, and gives back the hash
// by which PushVersion names it.
func (c *Client) UploadArchive(ctx context.Context, tar io.Reader) (a api.Archive, err error) {
	err = c.upload(ctx, request{method: http.MethodPost, path: "/archives", contentType: "application/x-tar", body: tar}, &a)
	return a, err
}

// Templates lists the templates of an organization, or of all when it is empty.
func (c *Client) Templates(ctx context.Context, organization string, l List) (api.Page[api.Template], error) {
	return get[api.Page[api.Template]](ctx, c, l.query("/templates", "organization", organization))
}

// Template is one template, by name or id; the organization is a name, an id or "default".
func (c *Client) Template(ctx context.Context, organization, template string) (api.Template, error) {
	return get[api.Template](ctx, c, templatePath(organization, template))
}

// EditTemplate changes the fields of in that are not nil.
func (c *Client) EditTemplate(ctx context.Context, organization, template string, in api.EditTemplate) (api.Template, error) {
	return call[api.EditTemplate, api.Template](ctx, c, http.MethodPatch, templatePath(organization, template), in)
}

// UndoTemplateEdit takes back the newest edit of a template's policy.
func (c *Client) UndoTemplateEdit(ctx context.Context, organization, template string, how api.PolicyEdit) (api.Template, error) {
	return post[api.PolicyEdit, api.Template](ctx, c, templatePath(organization, template, "undo"), how)
}

// DeleteTemplate deletes a template that no workspace uses.
func (c *Client) DeleteTemplate(ctx context.Context, organization, template string) error {
	_, err := call[nothing, nothing](ctx, c, http.MethodDelete, templatePath(organization, template), nothing{})
	return err
}

// TemplateVersions lists the versions of a template, newest first; archived ones
// too where they are wanted.
func (c *Client) TemplateVersions(ctx context.Context, organization, template string, archived bool, l List) (api.Page[api.TemplateVersion], error) {
	with := ""
	if archived {
		with = "true"
	}
	return get[api.Page[api.TemplateVersion]](ctx, c, l.query(templatePath(organization, template, "versions"), "archived", with))
}

// PushVersion makes a version from an uploaded archive and queues its import,
// which is a build: see WatchBuild. A template that is not there is made.
func (c *Client) PushVersion(ctx context.Context, organization, template string, in api.PushVersion) (api.TemplateVersion, error) {
	return post[api.PushVersion, api.TemplateVersion](ctx, c, templatePath(organization, template, "versions"), in)
}

// TemplateVersion is one version, by name, id or "active".
func (c *Client) TemplateVersion(ctx context.Context, organization, template, version string) (api.TemplateVersion, error) {
	return get[api.TemplateVersion](ctx, c, templatePath(organization, template, "versions", version))
}

// ActivateVersion makes a version the one that new workspaces get.
func (c *Client) ActivateVersion(ctx context.Context, organization, template, version string, how api.PolicyEdit) (api.TemplateVersion, error) {
	return post[api.PolicyEdit, api.TemplateVersion](ctx, c, templatePath(organization, template, "versions", version, "activate"), how)
}

// ArchiveVersion puts a version away, from which no workspace is made then.
func (c *Client) ArchiveVersion(ctx context.Context, organization, template, version string) (api.TemplateVersion, error) {
	return call[nothing, api.TemplateVersion](ctx, c, http.MethodPut, templatePath(organization, template, "versions", version, "archived"), nothing{})
}

// UnarchiveVersion brings an archived version back.
func (c *Client) UnarchiveVersion(ctx context.Context, organization, template, version string) (api.TemplateVersion, error) {
	return call[nothing, api.TemplateVersion](ctx, c, http.MethodDelete, templatePath(organization, template, "versions", version, "archived"), nothing{})
}

// ArchiveUnused puts away the versions of a template that nothing uses, and
// names them.
func (c *Client) ArchiveUnused(ctx context.Context, organization, template string, in api.ArchiveVersions) (api.ArchivedVersions, error) {
	return post[api.ArchiveVersions, api.ArchivedVersions](ctx, c, templatePath(organization, template, "archive"), in)
}

// VersionDiff is what a version changes against another one; without a name, the
// one that was imported before it.
func (c *Client) VersionDiff(ctx context.Context, organization, template, from, to string) (api.VersionDiff, error) {
	return get[api.VersionDiff](ctx, c, query(templatePath(organization, template, "versions", to, "diff"), "from", from))
}

// VersionArchive is the archive of a version, as a tar. The caller closes it.
func (c *Client) VersionArchive(ctx context.Context, organization, template, version string) (io.ReadCloser, error) {
	return c.download(ctx, templatePath(organization, template, "versions", version, "archive"))
}

func templatePath(organization, template string, more ...string) string {
	return path(append([]string{"organizations", organization, "templates", template}, more...)...)
}

func (c *Client) download(ctx context.Context, path string) (io.ReadCloser, error) {
	res, err := c.send(ctx, request{method: http.MethodGet, path: path})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}
