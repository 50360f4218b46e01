package store

import (
	"time"

	"github.com/berthdev/berth"
)

const noticeColumns = `n.id, n.user_id, n.kind, n.title, n.body, n.data_json, n.workspace_id, n.template_id, n.once, n.in_inbox, n.created_at, n.read_at`

func noticeInto(n *berth.Notice) []any {
	return []any{&n.ID, &n.UserID, &n.Kind, &n.Title, &n.Body, fromJSON(&n.Data), text(&n.WorkspaceID), text(&n.TemplateID), &n.Once, &n.InInbox,
		at(&n.CreatedAt), at(&n.ReadAt)}
}

func scanNotice(s scanner) (n berth.Notice, err error) {
	err = s.Scan(noticeInto(&n)...)
	return n, err
}

// InsertNotice stores what a person is told, and tells whether that is new: what
// they were told before by the same Once stays as it is.
func (tx *Tx) InsertNotice(n berth.Notice) (bool, error) {
	if n.Data == nil {
		n.Data = map[string]string{}
	}
	added, err := tx.exec(`INSERT INTO notices (id, user_id, kind, title, body, data_json, workspace_id, template_id, once, in_inbox, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (user_id, once) WHERE once <> '' DO NOTHING`,
		n.ID, n.UserID, n.Kind, clean(n.Title, maxWord), clean(n.Body, maxText), asJSON(n.Data), orNull(n.WorkspaceID), orNull(n.TemplateID),
		n.Once, n.InInbox, stamp(tx.Now))
	return added > 0, err
}

// NoticePage is one page of a person's inbox, the newest first, and the mark of
// the next.
func (q *Query) NoticePage(u berth.UserID, unread bool, p Page) ([]berth.Notice, string, error) {
	var w where
	w.add("n.user_id = ?", u)
	w.add("n.in_inbox")
	if unread {
		w.add("n.read_at IS NULL")
	}
	end := p.bound(&w, "n.created_at", "n.id", true)
	rows, err := all(q, scanNotice, `SELECT `+noticeColumns+` FROM notices n`+w.String()+end, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(n berth.Notice) Cursor { return Cursor{n.CreatedAt, string(n.ID)} })
	return rows, next, nil
}

// NoticeOnce is what a person was told by a Once.
func (q *Query) NoticeOnce(u berth.UserID, once string) (berth.Notice, error) {
	return one(q, "notice", scanNotice, `SELECT `+noticeColumns+` FROM notices n WHERE n.user_id = $1 AND n.once = $2 AND n.once <> ''`, u, once)
}

// UnreadNotices counts what is unread in a person's inbox.
func (q *Query) UnreadNotices(u berth.UserID) (int, error) {
	return one(q, "notice", single[int], `SELECT count(*) FROM notices n WHERE n.user_id = $1 AND n.in_inbox AND n.read_at IS NULL`, u)
}

// ReadNotice marks one in a person's inbox as read. It may be so already.
func (tx *Tx) ReadNotice(u berth.UserID, id berth.NoticeID) error {
	return tx.must("notice", `UPDATE notices SET read_at = COALESCE(read_at, $3) WHERE id = $2 AND user_id = $1 AND in_inbox`, u, id, stamp(tx.Now))
}

// ReadNotices marks all that a person was told until a time as read, and tells
// how many those were.
func (tx *Tx) ReadNotices(u berth.UserID, until time.Time) (int64, error) {
	return tx.exec(`UPDATE notices SET read_at = $2 WHERE user_id = $1 AND in_inbox AND read_at IS NULL AND created_at <= $3`,
		u, stamp(tx.Now), stamp(until))
}

// PruneNotices removes at most limit notices, with their deliveries, that were
// read before one time, or made before an earlier one. Those that are in no
// inbox are like read ones.
func (tx *Tx) PruneNotices(read, made time.Time, limit int) (int64, error) {
	if _, err := tx.exec(`DELETE FROM deliveries WHERE notice_id IN (`+oldNotices+`)`, stamp(read), stamp(made), limit); err != nil {
		return 0, err
	}
	return tx.exec(`DELETE FROM notices WHERE id IN (`+oldNotices+`)`, stamp(read), stamp(made), limit)
}

const oldNotices = `SELECT n.id FROM notices n
	WHERE n.created_at < $1 AND (n.created_at < $2 OR n.read_at < $1 OR NOT n.in_inbox) ORDER BY n.created_at, n.id LIMIT $3`

// forgetNotices removes what a person was told, and how they wanted that.
func (tx *Tx) forgetNotices(u berth.UserID) error {
	if _, err := tx.exec(`DELETE FROM notice_switches WHERE user_id = $1`, u); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM deliveries WHERE notice_id IN (SELECT n.id FROM notices n WHERE n.user_id = $1)`, u); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM notices WHERE user_id = $1`, u)
	return err
}
