package accounts

import (
	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Teller tells people of what happens to users, in the transaction of that. by is
// who did it; empty: they themselves.
type Teller interface {
	UserCreated(tx *store.Tx, u berth.User, by berth.UserID) error
	UserDeleted(tx *store.Tx, u berth.User, by berth.UserID) error
	UserSuspended(tx *store.Tx, u berth.User, by berth.UserID) error
	UserActivated(tx *store.Tx, u berth.User, by berth.UserID) error
}

// nobody tells nobody.
type nobody struct{}

func (nobody) UserCreated(*store.Tx, berth.User, berth.UserID) error   { return nil }
func (nobody) UserDeleted(*store.Tx, berth.User, berth.UserID) error   { return nil }
func (nobody) UserSuspended(*store.Tx, berth.User, berth.UserID) error { return nil }
func (nobody) UserActivated(*store.Tx, berth.User, berth.UserID) error { return nil }

// NewUserIn is the function of that name, and people are told.
func (s *Service) NewUserIn(tx *store.Tx, in NewUser) (berth.User, error) {
	u, err := NewUserIn(tx, in)
	if err != nil {
		return u, err
	}
	return u, s.opt.Teller.UserCreated(tx, u, in.By)
}
