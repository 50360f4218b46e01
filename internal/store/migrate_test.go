package store_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// ours are our migrations and some more.
func ours(t *testing.T, more map[string]string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	paths, err := fs.Glob(store.Ours, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		data, err := fs.ReadFile(store.Ours, path)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = &fstest.MapFile{Data: data}
	}
	for path, text := range more {
		files["migrations/"+path] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

// after names the n-th migration behind ours.
func after(n int, name string) string {
	paths, _ := fs.Glob(store.Ours, "migrations/*.sql")
	newest := slices.Max(paths)
	number, err := strconv.Atoi(path.Base(newest)[:4])
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%04d_%s", number+n, name)
}

func TestANewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		if err := store.MigrateWith(t.Context(), url, ours(t, map[string]string{after(1, "next.sql"): "CREATE TABLE next (id TEXT PRIMARY KEY);"})); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(t.Context(), url)
		if berth.ErrorCode(err) != berth.Conflict || !strings.Contains(err.Error(), "used by a newer berth (its schema is "+after(1, "next")) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAnEditedMigrationIsNoticed(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		files := ours(t, nil)
		files["migrations/0001_first.sql"].Data = append(files["migrations/0001_first.sql"].Data, "\n-- edited\n"...)
		err := store.MigrateWith(t.Context(), url, files)
		if berth.ErrorCode(err) != berth.Conflict || !strings.Contains(err.Error(), "0001_first differs from ours") {
			t.Errorf("got %v", err)
		}
	})
}

// A migration that fails half way leaves nothing, and can be repeated.
func TestAMigrationIsWholeOrNot(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		bad := map[string]string{after(1, "next.sql"): "CREATE TABLE next (id TEXT PRIMARY KEY); INSERT INTO nowhere VALUES (1);"}
		if err := store.MigrateWith(t.Context(), url, ours(t, bad)); err == nil || !strings.Contains(err.Error(), "migration "+after(1, "next")) {
			t.Errorf("got %v", err)
		}
		db := storetest.Open(t, url) // still ours
		db.Close()
		good := map[string]string{after(1, "next.sql"): "CREATE TABLE next (id TEXT PRIMARY KEY); INSERT INTO next VALUES ('1');"}
		if err := store.MigrateWith(t.Context(), url, ours(t, good)); err != nil {
			t.Error(err)
		}
	})
}

// Files for one engine alone are left by the other; gaps are refused.
func TestMigrationFiles(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		pair := map[string]string{
			after(1, "next.sqlite.sql"):   "CREATE TABLE next (id INTEGER PRIMARY KEY AUTOINCREMENT);",
			after(1, "next.postgres.sql"): "CREATE TABLE next (id BIGINT GENERATED ALWAYS AS IDENTITY);",
		}
		if err := store.MigrateWith(t.Context(), url, ours(t, pair)); err != nil {
			t.Error(err)
		}
		if err := store.MigrateWith(t.Context(), url, ours(t, map[string]string{after(2, "gap.sql"): ""})); err == nil {
			t.Error("a gap was not noticed")
		}
	})
}

// On SQLite, references are checked after a migration that went without.
func TestReferencesAfterAMigration(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		bad := map[string]string{after(1, "bad.sql"): "INSERT INTO organization_members (organization_id, user_id, roles_json, created_at) VALUES ('o', 'u', '[]', 1);"}
		if err := store.MigrateWith(t.Context(), url, ours(t, bad)); err == nil {
			t.Error("a reference to nothing was let in")
		}
	})
}

// Many servers that start at once on an empty database.
func TestMigratorsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		if strings.HasPrefix(url, "sqlite:") {
			url = "sqlite:" + filepath.Join(t.TempDir(), "empty.db")
		}
		files := ours(t, map[string]string{after(1, "next.sql"): "CREATE TABLE next (id TEXT PRIMARY KEY);", after(2, "last.sql"): "DROP TABLE next;"})
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				if err := store.MigrateWith(context.Background(), url, files); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestDatabasesThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte(strings.Repeat("this is no database", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"mysql://x":                           "must begin with sqlite: or postgres://",
		"sqlite:":                             "names no file",
		"sqlite:" + file:                      "is not a SQLite database",
		"sqlite:" + dir:                       "is not a file",
		"sqlite:" + dir + "/no/such":          "cannot be written",
		"sqlite:" + file + "/inside":          "cannot be written",
		"sqlite:/proc/berth.db":               "cannot be written",
		"postgres://x:secret@[::1":            "is not a PostgreSQL URL",
		"postgres://ada:secret@127.0.0.1:1/x": "does not let us in",
	} {
		_, err := store.Open(t.Context(), url)
		if err == nil || !strings.Contains(berth.ErrorMessage(err), want) {
			t.Errorf("%s: %v", url, err)
		}
		if err != nil && strings.Contains(berth.ErrorMessage(err), "secret") {
			t.Errorf("%s: shows the password: %v", url, err)
		}
	}
}

// Others on the machine cannot read the database; odd paths work.
func TestTheFileIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b%20?#.db")
	db := storetest.Open(t, "sqlite:"+path)
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if len(found) < 2 {
		t.Errorf("found %v", found)
	}
	for _, p := range found {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v, %v", p, info.Mode(), err)
		}
	}
}
