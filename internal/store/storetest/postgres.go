package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/berthdev/berth/internal/store"
)

// cluster is the PostgreSQL server of this process.
type cluster struct {
	url      url.URL // of its maintenance database
	template string  // name of the migrated database
	missing  string  // why there is no server; the rest is empty then
}

var (
	server = sync.OnceValues(startCluster)
	count  atomic.Int64
)

// startTimeout is how long PostgreSQL may take to answer.
const startTimeout = 60 * time.Second

func startCluster() (*cluster, error) {
	c := &cluster{}
	address := os.Getenv("BERTH_TEST_POSTGRES_URL")
	if address == "" {
		c.template = "berth_template"
		var err error
		if address, c.missing, err = launch(); err != nil || c.missing != "" {
			return c, err
		}
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("BERTH_TEST_POSTGRES_URL: %w", err)
	}
	c.url = *u
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for c.run(ctx, `SELECT 1`) != nil {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("PostgreSQL does not answer after %v", startTimeout)
		case <-time.After(20 * time.Millisecond):
		}
	}
	if c.template == "" {
		return c, nil // a template would stay behind there
	}
	if err := c.run(ctx, `CREATE DATABASE `+c.template); err != nil {
		return nil, err
	}
	return c, migrate(ctx, c.address(c.template))
}

// migrate makes the tables.
func migrate(ctx context.Context, address string) error {
	db, err := store.Open(ctx, address, store.WithoutNotifications())
	if err != nil {
		return err
	}
	return db.Close()
}

// run runs a statement on a connection of its own, so that nothing stays behind
// that would belong to the first synctest bubble that used it.
func (c *cluster) run(ctx context.Context, statement string) error {
	db, err := sql.Open("pgx", c.url.String())
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}

// address is the URL of a database of the cluster.
func (c *cluster) address(database string) string {
	u := c.url
	u.Path = "/" + database
	return u.String()
}

func preparePostgres(t testing.TB) {
	t.Helper()
	c, err := server()
	if err != nil {
		t.Fatalf("starting PostgreSQL: %v", err)
	}
	if c.missing != "" {
		t.Skipf("SKIPPED, NOT TESTED ON POSTGRESQL: %s", c.missing)
	}
}

func postgresURL(t testing.TB) string {
	t.Helper()
	c, err := server()
	if err != nil || c.missing != "" {
		t.Fatalf("PostgreSQL was not prepared: %v %s", err, c.missing)
	}
	name := fmt.Sprintf("berth_test_%d_%d", os.Getpid(), count.Add(1))
	create := `CREATE DATABASE ` + name
	if c.template != "" {
		create += ` TEMPLATE ` + c.template
	}
	if err := c.run(context.Background(), create); err != nil {
		t.Fatalf("making a database: %v", err)
	}
	t.Cleanup(func() {
		if err := c.run(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Errorf("removing the database: %v", err)
		}
	})
	if c.template == "" {
		if err := migrate(context.Background(), c.address(name)); err != nil {
			t.Fatalf("migrating a database: %v", err)
		}
	}
	return c.address(name)
}
