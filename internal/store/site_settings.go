package store

import (
	"errors"

	"github.com/berthdev/berth"
)

// SiteSetting reads what PutSiteSetting stored under a name into a value, which
// stays as it is when there is nothing.
func (q *Query) SiteSetting(name string, into any) error {
	_, err := one(q, "setting", func(s scanner) (struct{}, error) {
		return struct{}{}, s.Scan(fromJSON(into))
	}, `SELECT value_json FROM site_settings WHERE name = $1`, name)
	if errors.Is(err, berth.NotFound) {
		return nil
	}
	return err
}

// PutSiteSetting stores a setting that people change while the server runs.
func (tx *Tx) PutSiteSetting(name string, value any) error {
	_, err := tx.exec(`INSERT INTO site_settings (name, value_json, updated_at) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET value_json = EXCLUDED.value_json, updated_at = EXCLUDED.updated_at`, name, asJSON(value), stamp(tx.Now))
	return err
}
