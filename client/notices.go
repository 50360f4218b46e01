package client

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/api"
)

// Notices is one page of the caller's inbox, the newest first.
func (c *Client) Notices(ctx context.Context, l List, unread bool) (api.Notices, error) {
	only := ""
	if unread {
		only = "true"
	}
	return get[api.Notices](ctx, c, l.query("/notices", "unread", only))
}

// ReadNotices marks notices of the caller as read.
func (c *Client) ReadNotices(ctx context.Context, in api.ReadNotices) error {
	return tell(ctx, c, "/notices/read", in)
}

// NoticePreferences is how the caller is told of what.
func (c *Client) NoticePreferences(ctx context.Context) (api.NoticePreferences, error) {
	return get[api.NoticePreferences](ctx, c, "/users/me/notice-preferences")
}

// SetNoticePreferences changes how the caller is told of what.
func (c *Client) SetNoticePreferences(ctx context.Context, in api.SetNoticePreferences) (api.NoticePreferences, error) {
	return call[api.SetNoticePreferences, api.NoticePreferences](ctx, c, http.MethodPatch, "/users/me/notice-preferences", in)
}

// TestNotices tells the caller something on every way.
func (c *Client) TestNotices(ctx context.Context) (api.Notice, error) {
	return post[nothing, api.Notice](ctx, c, "/notices/test", nothing{})
}

// NoticeDeliveries is how a notice of the caller is sent.
func (c *Client) NoticeDeliveries(ctx context.Context, notice string) (api.Page[api.NoticeDelivery], error) {
	return get[api.Page[api.NoticeDelivery]](ctx, c, path("notices", notice, "deliveries"))
}

// NoticeSending tells whether notices leave the house.
func (c *Client) NoticeSending(ctx context.Context) (api.NoticeSending, error) {
	return get[api.NoticeSending](ctx, c, "/notices/sending")
}

// PauseNotices keeps notices in the house, or lets them out again.
func (c *Client) PauseNotices(ctx context.Context, paused bool) (api.NoticeSending, error) {
	return call[api.PauseNotices, api.NoticeSending](ctx, c, http.MethodPut, "/notices/sending", api.PauseNotices{Paused: paused})
}

// NoticeTroubles is one page of what could not be sent, the newest first.
func (c *Client) NoticeTroubles(ctx context.Context, l List) (api.Page[api.NoticeTrouble], error) {
	return get[api.Page[api.NoticeTrouble]](ctx, c, l.query("/notices/troubles"))
}
