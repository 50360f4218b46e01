package store

import "github.com/berthdev/berth"

// NoticeSwitch is how a person wants to be told of a kind, where that is not
// what it is for everybody.
type NoticeSwitch struct {
	Kind   string
	Way    berth.Way
	Wanted bool
}

func scanSwitch(s scanner) (w NoticeSwitch, err error) {
	err = s.Scan(&w.Kind, &w.Way, &w.Wanted)
	return w, err
}

// NoticeSwitches is all that a person said.
func (q *Query) NoticeSwitches(u berth.UserID) ([]NoticeSwitch, error) {
	return all(q, scanSwitch, `SELECT s.kind, s.method, s.wanted FROM notice_switches s WHERE s.user_id = $1 ORDER BY s.kind, s.method`, u)
}

// NoticeSwitchesOf is what a person said of one kind.
func (q *Query) NoticeSwitchesOf(u berth.UserID, kind string) ([]NoticeSwitch, error) {
	return all(q, scanSwitch, `SELECT s.kind, s.method, s.wanted FROM notice_switches s WHERE s.user_id = $1 AND s.kind = $2`, u, kind)
}

// SetNoticeSwitch keeps how a person wants to be told of a kind.
func (tx *Tx) SetNoticeSwitch(u berth.UserID, w NoticeSwitch) error {
	_, err := tx.exec(`INSERT INTO notice_switches (user_id, kind, method, wanted) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id, kind, method) DO UPDATE SET wanted = EXCLUDED.wanted`, u, w.Kind, string(w.Way), w.Wanted)
	return err
}

// ClearNoticeSwitch forgets it.
func (tx *Tx) ClearNoticeSwitch(u berth.UserID, kind string, way berth.Way) error {
	_, err := tx.exec(`DELETE FROM notice_switches WHERE user_id = $1 AND kind = $2 AND method = $3`, u, kind, string(way))
	return err
}
