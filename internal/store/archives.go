package store

// PutArchive keeps a template archive under its hash. One that is there already
// is left as it is.
func (tx *Tx) PutArchive(hash string, data []byte) error {
	_, err := tx.exec(`INSERT INTO archives (hash, data, size, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING`,
		hash, data, len(data), stamp(tx.Now))
	return err
}

// Archive is the archive with that hash.
func (q *Query) Archive(hash string) ([]byte, error) {
	return one(q, "archive", single[[]byte], `SELECT data FROM archives WHERE hash = $1`, hash)
}

// HasArchive tells whether there is an archive with that hash.
func (q *Query) HasArchive(hash string) (bool, error) {
	n, err := one(q, "archive", single[int], `SELECT count(*) FROM archives WHERE hash = $1`, hash)
	return n > 0, err
}
