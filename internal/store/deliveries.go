package store

import (
	"time"

	"github.com/berthdev/berth"
)

// Delivery is the sending of a notice, with what is sent and to whom.
type Delivery struct {
	berth.Delivery
	Notice berth.Notice
	User   berth.User
}

const deliveryColumns = `d.id, d.notice_id, d.method, d.status, d.tries, d.next_at, d.error, d.created_at, d.ended_at`

func deliveryInto(d *berth.Delivery) []any {
	return []any{&d.ID, &d.NoticeID, &d.Way, &d.Status, &d.Tries, at(&d.NextAt), &d.Error, at(&d.CreatedAt), at(&d.EndedAt)}
}

func scanDelivery(s scanner) (d Delivery, err error) {
	err = s.Scan(append(append(deliveryInto(&d.Delivery), noticeInto(&d.Notice)...), userInto(&d.User)...)...)
	return d, err
}

// InsertDelivery has a notice sent.
func (tx *Tx) InsertDelivery(id berth.NoticeID, way berth.Way) error {
	tx.Wake(NoticesTopic)
	_, err := tx.exec(`INSERT INTO deliveries (id, notice_id, method, status, tries, next_at, lease_by, error, created_at)
		VALUES ($1, $2, $3, 'pending', 0, $4, '', '', $4)`, berth.NewID[berth.Delivery](), id, string(way), stamp(tx.Now))
	return err
}

// TakeDeliveries gives at most limit that are due to whoever calls itself by,
// until a time at which they are due again. It guards itself.
func (tx *Tx) TakeDeliveries(way berth.Way, by string, until time.Time, limit int) (int64, error) {
	return tx.exec(`UPDATE deliveries SET lease_by = $2, next_at = $3, tries = tries + 1
		WHERE status = 'pending' AND method = $1 AND next_at <= $4 AND id IN (
			SELECT d.id FROM deliveries d WHERE d.status = 'pending' AND d.method = $1 AND d.next_at <= $4 ORDER BY d.next_at, d.id LIMIT $5)`,
		string(way), by, stamp(until), stamp(tx.Now), limit)
}

// TakenDeliveries is what by has taken and not ended, the oldest first.
func (q *Query) TakenDeliveries(way berth.Way, by string) ([]Delivery, error) {
	return all(q, scanDelivery, `SELECT `+deliveryColumns+`, `+noticeColumns+`, `+userColumns+` FROM deliveries d
		JOIN notices n ON n.id = d.notice_id JOIN users u ON u.id = n.user_id
		WHERE d.status = 'pending' AND d.method = $1 AND d.lease_by = $2 ORDER BY d.created_at, d.id`, string(way), by)
}

// EndDelivery says how the sending that by had taken ended. One that somebody
// else has taken since is left alone.
func (tx *Tx) EndDelivery(id berth.DeliveryID, by string, status berth.DeliveryStatus, problem string) error {
	_, err := tx.exec(`UPDATE deliveries SET status = $3, error = $4, lease_by = '', ended_at = $5 WHERE id = $1 AND status = 'pending' AND lease_by = $2`,
		id, by, string(status), clean(problem, maxError), stamp(tx.Now))
	return err
}

// PutOffDelivery has what by had taken tried again at a time.
func (tx *Tx) PutOffDelivery(id berth.DeliveryID, by string, next time.Time, problem string) error {
	_, err := tx.exec(`UPDATE deliveries SET next_at = $3, error = $4, lease_by = '' WHERE id = $1 AND status = 'pending' AND lease_by = $2`,
		id, by, stamp(next), clean(problem, maxError))
	return err
}

// HurryDeliveries has all tried at once that wait for another try.
func (tx *Tx) HurryDeliveries(way berth.Way) error {
	_, err := tx.exec(`UPDATE deliveries SET next_at = $2 WHERE status = 'pending' AND method = $1 AND lease_by = '' AND next_at > $2`,
		string(way), stamp(tx.Now))
	return err
}

// PendingDeliveries counts what is to be sent.
func (q *Query) PendingDeliveries() (int, error) {
	return one(q, "delivery", single[int], `SELECT count(*) FROM deliveries d WHERE d.status = 'pending'`)
}

// TroubledDeliveries is one page of what was given up, dropped, or did not work
// yet, the newest first, and the mark of the next.
func (q *Query) TroubledDeliveries(p Page) ([]Delivery, string, error) {
	var w where
	w.add("d.error <> ''")
	end := p.bound(&w, "d.created_at", "d.id", true)
	rows, err := all(q, scanDelivery, `SELECT `+deliveryColumns+`, `+noticeColumns+`, `+userColumns+` FROM deliveries d
		JOIN notices n ON n.id = d.notice_id JOIN users u ON u.id = n.user_id`+w.String()+end, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(d Delivery) Cursor { return Cursor{d.CreatedAt, string(d.ID)} })
	return rows, next, nil
}

// DeliveriesOf is how the notice of a person is sent.
func (q *Query) DeliveriesOf(u berth.UserID, id berth.NoticeID) ([]berth.Delivery, error) {
	return all(q, func(s scanner) (d berth.Delivery, err error) {
		err = s.Scan(deliveryInto(&d)...)
		return d, err
	}, `SELECT `+deliveryColumns+` FROM deliveries d JOIN notices n ON n.id = d.notice_id WHERE d.notice_id = $1 AND n.user_id = $2 ORDER BY d.method`, id, u)
}
