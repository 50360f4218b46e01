package store_test

import (
	"testing"

	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		if err := db.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		n, err := db.Size(t.Context())
		if err != nil || n == 0 {
			t.Fatalf("size %d, %v", n, err)
		}
	})
}
