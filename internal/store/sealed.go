package store

import (
	"fmt"
	"strings"
)

// SealedColumn is a column of sealed values.
type SealedColumn struct {
	Table, Column string
	Keys          []string // columns that name a row
}

// SealedColumns are all columns of sealed values. A test finds one that is
// missing here.
var SealedColumns = []SealedColumn{
	{"versions", "variables_sealed", []string{"id"}},
	{"workspaces", "agent_key", []string{"id"}},
	{"workspaces", "agent_key_before", []string{"id"}},
	{"state_revisions", "sealed", []string{"workspace_id", "id"}},
	{"ssh_keys", "private_sealed", []string{"user_id"}},
	{"user_secrets", "value_sealed", []string{"id"}},
	{"external_logins", "tokens_sealed", []string{"user_id", "provider"}},
	{"external_attempts", "sealed", []string{"id"}},
	{"identities", "tokens_sealed", []string{"provider", "subject"}},
	{"sign_in_attempts", "sealed", []string{"id"}},
	{"signing_keys", "private_sealed", []string{"use_for", "id"}},
}

// SealedRow is one sealed value, and the row that it is in.
type SealedRow struct {
	keys   []any
	Sealed []byte
}

// Keys name the row, as texts.
func (r SealedRow) Keys() []string {
	texts := make([]string, len(r.keys))
	for i, k := range r.keys {
		if b, ok := k.([]byte); ok {
			k = string(b)
		}
		texts[i] = fmt.Sprint(k)
	}
	return texts
}

// SealedOtherwise lists at most most values of a column that do not begin with
// head, in the order of their keys, behind a row (nil: from the start).
func (q *Query) SealedOtherwise(c SealedColumn, head []byte, after *SealedRow, most int) ([]SealedRow, error) {
	var w where
	w.add(c.Column+` IS NOT NULL AND length(`+c.Column+`) > ? AND substr(`+c.Column+`, 1, ?) <> ?`, len(head), len(head), head)
	keys := strings.Join(c.Keys, ", ")
	if after != nil {
		marks := make([]string, len(after.keys))
		for i, k := range after.keys {
			marks[i] = w.arg(k)
		}
		w.conds = append(w.conds, `(`+keys+`) > (`+strings.Join(marks, ", ")+`)`)
	}
	return all(q, func(s scanner) (r SealedRow, err error) {
		r.keys = make([]any, len(c.Keys))
		into := make([]any, 0, len(c.Keys)+1)
		for i := range r.keys {
			into = append(into, &r.keys[i])
		}
		err = s.Scan(append(into, &r.Sealed)...)
		return r, err
	}, `SELECT `+keys+`, `+c.Column+` FROM `+c.Table+w.String()+` ORDER BY `+keys+` LIMIT `+w.arg(most), w.args...)
}

// Reseal replaces a value of a column, if it still is what it was. It guards
// itself.
func (tx *Tx) Reseal(c SealedColumn, r SealedRow, sealed []byte) (ok bool, err error) {
	var w where
	to := w.arg(sealed)
	for i, k := range r.keys {
		w.add(c.Keys[i]+` = ?`, k)
	}
	w.add(c.Column+` = ?`, r.Sealed)
	n, err := tx.exec(`UPDATE `+c.Table+` SET `+c.Column+` = `+to+w.String(), w.args...)
	return n > 0, err
}

// SealedHeads counts the values of a column by their first size bytes.
func (q *Query) SealedHeads(c SealedColumn, size int) (map[string]int, error) {
	type head struct {
		bytes []byte
		n     int
	}
	var w where
	mark := w.arg(size)
	list, err := all(q, func(s scanner) (h head, err error) {
		err = s.Scan(&h.bytes, &h.n)
		return h, err
	}, `SELECT substr(`+c.Column+`, 1, `+mark+`), count(*) FROM `+c.Table+` WHERE `+c.Column+` IS NOT NULL AND length(`+c.Column+`) > 0 GROUP BY 1`, w.args...)
	heads := map[string]int{}
	for _, h := range list {
		heads[string(h.bytes)] += h.n
	}
	return heads, err
}
