package store

import (
	"github.com/berthdev/berth"
)

const providerColumns = `p.id, p.name, p.relay_url, p.is_default, p.tags_json, p.created_at, p.seen_at`

func providerInto(p *berth.Provider) []any {
	return []any{&p.ID, &p.Name, &p.RelayURL, &p.Default, fromJSON(&p.Tags), at(&p.CreatedAt), at(&p.SeenAt)}
}

func scanProvider(s scanner) (p berth.Provider, err error) {
	err = s.Scan(providerInto(&p)...)
	return p, err
}

// InsertProvider stores a new workspace provider. No hash means that no token
// opens it, as for the built-in one, which every organization may use.
func (tx *Tx) InsertProvider(p berth.Provider, tokenHash []byte) error {
	var hash any
	if len(tokenHash) > 0 {
		hash = tokenHash
	}
	_, err := tx.exec(`INSERT INTO providers (id, name, token_hash, relay_url, is_default, tags_json, created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.ID, p.Name, hash, p.RelayURL, p.Default, tagsJSON(p.Tags), stamp(p.CreatedAt), stamp(p.SeenAt))
	if err != nil || p.Name != berth.BuiltInProvider {
		return err
	}
	_, err = tx.exec(`INSERT INTO organization_providers (organization_id, provider_id) SELECT o.id, $1 FROM organizations o WHERE o.deleted_at IS NULL`, p.ID)
	return err
}

func tagsJSON(tags map[string]string) any {
	if tags == nil {
		tags = map[string]string{}
	}
	return asJSON(tags)
}

// SetProviderTags replaces the tags of a provider.
func (tx *Tx) SetProviderTags(id berth.ProviderID, tags map[string]string) error {
	return tx.must("workspace provider", `UPDATE providers SET tags_json = $2 WHERE id = $1`, id, tagsJSON(tags))
}

// ProviderFor is a provider that an organization may use, by id or by name
// without regard to case; "" is the default one or, where it may not use that,
// its first.
func (q *Query) ProviderFor(o berth.OrganizationID, ref string) (berth.Provider, error) {
	const from = `SELECT ` + providerColumns + ` FROM providers p JOIN organization_providers a ON a.provider_id = p.id WHERE a.organization_id = $1 AND `
	if berth.IsID(ref) {
		return one(q, "workspace provider", scanProvider, from+`p.id = $2`, o, ref)
	}
	return one(q, "workspace provider", scanProvider, from+`($2 = '' OR lower(p.name) = $2)
		ORDER BY CASE WHEN p.is_default THEN 0 ELSE 1 END, p.created_at, p.id LIMIT 1`, o, lowered(ref))
}

// ProvidersOf is every provider that an organization may use, first the one that
// it uses where none is named.
func (q *Query) ProvidersOf(o berth.OrganizationID) ([]berth.Provider, error) {
	return all(q, scanProvider, `SELECT `+providerColumns+` FROM providers p JOIN organization_providers a ON a.provider_id = p.id
		WHERE a.organization_id = $1 ORDER BY CASE WHEN p.is_default THEN 0 ELSE 1 END, p.created_at, p.id`, o)
}

// AllowProvider lets an organization use a provider, and tells whether it might
// not before.
func (tx *Tx) AllowProvider(o berth.OrganizationID, p berth.ProviderID) (bool, error) {
	n, err := tx.exec(`INSERT INTO organization_providers (organization_id, provider_id) VALUES ($1, $2) ON CONFLICT (organization_id, provider_id) DO NOTHING`, o, p)
	return n > 0, err
}

// DenyProvider takes a provider from an organization, and tells whether it might
// use it before.
func (tx *Tx) DenyProvider(o berth.OrganizationID, p berth.ProviderID) (bool, error) {
	n, err := tx.exec(`DELETE FROM organization_providers WHERE organization_id = $1 AND provider_id = $2`, o, p)
	return n > 0, err
}

// ProviderRef is a provider by id or by name without regard to case; "" is the
// default one.
func (q *Query) ProviderRef(ref string) (berth.Provider, error) {
	const from = `SELECT ` + providerColumns + ` FROM providers p WHERE `
	switch {
	case ref == "":
		return one(q, "default workspace provider", scanProvider, from+`p.is_default ORDER BY p.created_at, p.id LIMIT 1`)
	case berth.IsID(ref):
		return one(q, "workspace provider", scanProvider, from+`p.id = $1`, ref)
	default:
		return one(q, "workspace provider", scanProvider, from+`lower(p.name) = $1`, lowered(ref))
	}
}

// ProviderByToken is the provider whose token has this hash.
func (q *Query) ProviderByToken(hash []byte) (berth.Provider, error) {
	return one(q, "workspace provider", scanProvider, `SELECT `+providerColumns+` FROM providers p WHERE p.token_hash = $1`, hash)
}

// Providers is every provider, the default one first, then the oldest.
func (q *Query) Providers() ([]berth.Provider, error) {
	return all(q, scanProvider, `SELECT `+providerColumns+` FROM providers p
		ORDER BY CASE WHEN p.is_default THEN 0 ELSE 1 END, p.created_at, p.id`)
}

// ProviderSeen records that a runner of the provider called. It guards itself.
func (tx *Tx) ProviderSeen(id berth.ProviderID) error {
	_, err := tx.exec(`UPDATE providers SET seen_at = $2 WHERE id = $1 AND (seen_at IS NULL OR seen_at < $2)`, id, stamp(tx.Now))
	return err
}
