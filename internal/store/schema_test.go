package store_test

import (
	"database/sql"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// rows gives the rows of a query as text, columns apart by a tab.
func rows(t *testing.T, db *store.DB, query string) (lines []string) {
	t.Helper()
	r, err := store.Handle(db).QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	columns, err := r.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := r.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var line []string
		for _, v := range values {
			line = append(line, v.String)
		}
		lines = append(lines, strings.Join(line, "\t"))
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// dump is the whole schema in the engine's own words.
var dump = map[string]string{
	"sqlite": `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY tbl_name, type DESC, name`,
	"postgres": `
		SELECT line FROM (
			SELECT table_name t, 1 k, ordinal_position n, table_name || '.' || column_name || ' ' || data_type
				|| CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END || COALESCE(' DEFAULT ' || column_default, '') line
			FROM information_schema.columns WHERE table_schema = 'public'
			UNION ALL SELECT tablename, 2, 0, indexdef FROM pg_indexes WHERE schemaname = 'public'
			UNION ALL SELECT c.relname, 3, 0, c.relname || ' ' || o.conname || ' ' || pg_get_constraintdef(o.oid)
			FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid WHERE o.connamespace = 'public'::regnamespace AND o.contype <> 'p'
		) x ORDER BY t COLLATE "C", k, n, line COLLATE "C"`,
}

// What all migrations make, written down for each engine: a change of it is seen
// in review.
func TestSchemaGolden(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		got := strings.Join(rows(t, db, dump[db.Engine()]), "\n") + "\n"
		golden := filepath.Join("testdata", "schema."+db.Engine()+".golden")
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("run with -update if this is meant:\n%s", diff)
		}
	})
}

// common is what both engines must agree on: columns with their kind and
// nullability, and indexes with their columns, uniqueness and condition.
var common = map[string]string{
	"sqlite": `
		SELECT t.name || '.' || c.name || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' not null ' ELSE ' null ' END
			|| CASE upper(c.type) WHEN 'DOUBLE PRECISION' THEN 'double precision' ELSE lower(c.type) END
		FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'
		UNION ALL
		SELECT 'index ' || CASE i.origin WHEN 'pk' THEN t.name || '_pkey' ELSE i.name END || ' on ' || t.name
			|| CASE i."unique" WHEN 1 THEN ' unique' ELSE '' END || CASE i.partial WHEN 1 THEN ' partial' ELSE '' END || ' '
			|| (SELECT group_concat(COALESCE(k.name, '(expression)'), ', ' ORDER BY k.seqno) FROM pragma_index_info(i.name) k)
		FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table'`,
	"postgres": `
		SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' not null ' ELSE ' null ' END || data_type
		FROM information_schema.columns WHERE table_schema = 'public'
		UNION ALL
		SELECT 'index ' || x.relname || ' on ' || t.relname || CASE WHEN i.indisunique THEN ' unique' ELSE '' END
			|| CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END || ' '
			|| (SELECT string_agg(COALESCE(a.attname, '(expression)'), ', ' ORDER BY k.n)
				FROM unnest(i.indkey) WITH ORDINALITY k (attnum, n)
				LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0)
		FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
		WHERE t.relnamespace = 'public'::regnamespace`,
}

// Both engines have the same tables, columns and indexes.
func TestSchemasAreTheSame(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	found := map[string][]string{}
	t.Run("engines", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
			db := open(t)
			lines := rows(t, db, common[db.Engine()])
			slices.Sort(lines)
			mu.Lock()
			defer mu.Unlock()
			found[db.Engine()] = lines
		})
	})
	if len(found) < 2 {
		t.Skipf("NOT COMPARED: only %v is here", slices.Collect(maps.Keys(found)))
	}
	if diff := cmp.Diff(found["sqlite"], found["postgres"]); diff != "" {
		t.Errorf("sqlite (-) and postgres (+) differ:\n%s", diff)
	}
}

// Every unique index says something to people when it refuses a row, and is
// found by what the engine calls it.
func TestEveryUniqueIndexHasASentence(t *testing.T) {
	t.Parallel()
	known := store.UniqueNames()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		var there []string
		for _, line := range rows(t, db, common[db.Engine()]) {
			name, rest, ok := strings.Cut(strings.TrimPrefix(line, "index "), " on ")
			if !ok || !strings.Contains(rest, " unique") || strings.HasSuffix(name, "_pkey") {
				continue
			}
			there = append(there, name)
			if !slices.Contains(known, name) {
				t.Errorf("the unique index %s has no line in constraints", name)
			}
			if db.Engine() == "sqlite" && !slices.Contains(slices.Collect(maps.Values(store.EngineNames(db))), name) {
				t.Errorf("no error of SQLite would be known as %s", name)
			}
		}
		for _, name := range known {
			if !slices.Contains(there, name) {
				t.Errorf("there is no unique index %s", name)
			}
		}
	})
}

// What the engines say when a unique index refuses a row is told apart.
func TestUniqueErrors(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		db := open(t)
		w := storetest.Seed(t, db)
		w.Workspace(t, db, "dev")
		write := func(f func(tx *store.Tx) error) string {
			if err := db.Write(t.Context(), f); err != nil {
				return err.Error()
			}
			return "no error"
		}
		for want, f := range map[string]func(tx *store.Tx) error{
			"name: a workspace of this name exists already": func(tx *store.Tx) error { // index on an expression
				return tx.InsertWorkspace(berth.Workspace{ID: "w", OrganizationID: w.Organization.ID, ProviderID: w.Provider.ID,
					OwnerID: w.User.ID, TemplateID: w.Template.ID, Name: "DEV", CreatedAt: tx.Now, UpdatedAt: tx.Now}, []byte("k"))
			},
			"it exists already in users": func(tx *store.Tx) error { // primary key
				u := w.User
				u.Username, u.Email = "other", "other@example.com"
				return tx.InsertUser(u, "")
			},
			"there is a default organization already": func(tx *store.Tx) error { // partial index
				o := w.Organization
				o.ID, o.Name = "x", "other"
				return tx.InsertOrganization(o)
			},
			"it refers to something that is gone": func(tx *store.Tx) error {
				b := w.Build("nothing", "start")
				b.ID, b.CreatedAt = "b", tx.Now
				return tx.InsertBuild(b)
			},
		} {
			if got := write(f); !strings.Contains(got, want) {
				t.Errorf("says %q, want %q", got, want)
			}
		}
	})
}
