package httpapi

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/notices"
)

type listNoticesInput struct {
	Unread bool `query:"unread" doc:"Only those that are not read"`
	Page
}

func (h *handlers) listNotices(ctx context.Context, in *listNoticesInput) (*body[api.Notices], error) {
	all, next, unread, err := h.Notices.Inbox(ctx, actorOf(ctx), in.Unread, in.After, in.Limit)
	return answered(api.Notices{Page: api.Page[api.Notice]{Items: list(all, viewNotice), Next: next}, Unread: unread}, err)
}

func viewNotice(n berth.Notice) api.Notice {
	return api.Notice{ID: string(n.ID), Kind: n.Kind, Title: n.Title, Body: n.Body, Link: n.Data["link"], WorkspaceID: string(n.WorkspaceID),
		TemplateID: string(n.TemplateID), Data: n.Data, CreatedAt: n.CreatedAt, ReadAt: moment(n.ReadAt)}
}

type readNoticesInput struct{ Body api.ReadNotices }

func (h *handlers) readNotices(ctx context.Context, in *readNoticesInput) (*struct{}, error) {
	return nil, h.Notices.Read(ctx, actorOf(ctx), list(in.Body.IDs, func(id string) berth.NoticeID { return berth.NoticeID(id) }), in.Body.All)
}

func (h *handlers) noticePreferences(ctx context.Context, _ *struct{}) (*body[api.NoticePreferences], error) {
	all, ways, err := h.Notices.Preferences(ctx, actorOf(ctx))
	return answered(viewPreferences(all, ways), err)
}

type setNoticePreferencesInput struct{ Body api.SetNoticePreferences }

func (h *handlers) setNoticePreferences(ctx context.Context, in *setNoticePreferencesInput) (*body[api.NoticePreferences], error) {
	changes := map[string]map[berth.Way]bool{}
	for kind, switches := range in.Body.Kinds {
		changes[kind] = map[berth.Way]bool{}
		for way, wanted := range switches {
			changes[kind][berth.Way(way)] = wanted
		}
	}
	all, ways, err := h.Notices.Prefer(ctx, actorOf(ctx), changes)
	return answered(viewPreferences(all, ways), err)
}

func viewPreferences(all []notices.Preference, ways []berth.Way) api.NoticePreferences {
	return api.NoticePreferences{Ways: list(ways, wayWord), Kinds: list(all, func(p notices.Preference) api.NoticePreference {
		wanted := map[string]bool{}
		for way, yes := range p.Wants {
			wanted[string(way)] = yes
		}
		return api.NoticePreference{Kind: p.Name, About: p.About, To: p.To, Wanted: wanted, Fixed: list(p.Fixed, wayWord)}
	})}
}

func wayWord(w berth.Way) string { return string(w) }

func (h *handlers) testNotices(ctx context.Context, _ *struct{}) (*body[api.Notice], error) {
	n, err := h.Notices.Test(ctx, actorOf(ctx))
	return answered(viewNotice(n), err)
}

type noticeInput struct {
	Notice string `path:"notice" doc:"Id"`
}

func (h *handlers) noticeDeliveries(ctx context.Context, in *noticeInput) (*body[api.Page[api.NoticeDelivery]], error) {
	all, err := h.Notices.Deliveries(ctx, actorOf(ctx), berth.NoticeID(in.Notice))
	return answered(api.Page[api.NoticeDelivery]{Items: list(all, viewDelivery)}, err)
}

func viewDelivery(d berth.Delivery) api.NoticeDelivery {
	v := api.NoticeDelivery{NoticeID: string(d.NoticeID), Way: string(d.Way), Status: string(d.Status), Tries: d.Tries, Error: d.Error,
		CreatedAt: d.CreatedAt, EndedAt: moment(d.EndedAt)}
	if d.Status == berth.DeliveryPending {
		v.NextAt = moment(d.NextAt)
	}
	return v
}

func (h *handlers) noticeSending(ctx context.Context, _ *struct{}) (*body[api.NoticeSending], error) {
	s, err := h.Notices.Sending(ctx, actorOf(ctx))
	return answered(viewSending(s), err)
}

type pauseNoticesInput struct{ Body api.PauseNotices }

func (h *handlers) pauseNotices(ctx context.Context, in *pauseNoticesInput) (*body[api.NoticeSending], error) {
	s, err := h.Notices.Pause(ctx, actorOf(ctx), in.Body.Paused)
	return answered(viewSending(s), err)
}

func viewSending(s notices.State) api.NoticeSending {
	return api.NoticeSending{Ways: list(s.Ways, wayWord), Paused: s.Paused, PausedAt: moment(s.PausedAt), PausedBy: s.PausedBy, Waiting: s.Waiting}
}

type noticeTroublesInput struct{ Page }

func (h *handlers) noticeTroubles(ctx context.Context, in *noticeTroublesInput) (*body[api.Page[api.NoticeTrouble]], error) {
	all, next, err := h.Notices.Troubles(ctx, actorOf(ctx), in.After, in.Limit)
	return answered(api.Page[api.NoticeTrouble]{Next: next, Items: list(all, func(d notices.Trouble) api.NoticeTrouble {
		return api.NoticeTrouble{NoticeDelivery: viewDelivery(d.Delivery), Kind: d.Kind, User: d.User}
	})}, err)
}
