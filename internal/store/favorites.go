package store

import "github.com/berthdev/berth"

// AddFavorite marks a workspace for a user; a second time changes nothing.
func (tx *Tx) AddFavorite(user berth.UserID, id berth.WorkspaceID) error {
	_, err := tx.exec(`INSERT INTO favorites (user_id, workspace_id, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id, workspace_id) DO NOTHING`, user, id, stamp(tx.Now))
	return err
}

// DeleteFavorite ends that.
func (tx *Tx) DeleteFavorite(user berth.UserID, id berth.WorkspaceID) error {
	_, err := tx.exec(`DELETE FROM favorites WHERE user_id = $1 AND workspace_id = $2`, user, id)
	return err
}

// Favorites is which of some workspaces a user has marked.
func (q *Query) Favorites(user berth.UserID, of []berth.WorkspaceID) (map[berth.WorkspaceID]bool, error) {
	var w where
	w.add(`user_id = ?`, user)
	in(&w, `workspace_id`, of)
	marked, err := all(q, single[berth.WorkspaceID], `SELECT workspace_id FROM favorites`+w.String(), w.args...)
	found := map[berth.WorkspaceID]bool{}
	for _, id := range marked {
		found[id] = true
	}
	return found, err
}
