package runner

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/berthdev/berth"
)

const (
	maxArchive = 64 << 20 // bytes; the server's own limit is lower
	// unfound is how long a server may say that it does not have an archive
	// before it is believed: it may be a proxy in front of one that is down.
	unfound = time.Minute
)

var errNotArchive = errors.New("the server sent another archive than the one that was asked for")

// archive gives the path of a template's archive, fetched if it is not here yet.
// It asks for as long as the server is away.
func (r *Runner) archive(ctx context.Context, hash string) (string, error) {
	if sum, err := hex.DecodeString(hash); err != nil || len(sum) != sha256.Size || hex.EncodeToString(sum) != hash {
		return "", berth.Errorf(berth.Invalid, "the server named %q as the template's archive, which is not a hash", hash)
	}
	path := filepath.Join(r.o.Dir, "archives", hash)
	now := time.Now()
	if os.Chtimes(path, now, now) == nil {
		return path, nil
	}
	begin, wrong := time.Now(), 0
	for n := 0; ; n++ {
		err := within(ctx, sendTime, func(ctx context.Context) error { return r.fetch(ctx, hash, path) })
		switch {
		case err == nil:
			r.pruneArchives()
			return path, nil
		case ctx.Err() != nil:
			return "", ctx.Err()
		case full(err):
			return "", err
		case err == errNotArchive:
			if wrong++; wrong == 3 {
				return "", err
			}
		case berth.ErrorCode(err) == berth.NotFound && time.Since(begin) > unfound:
			return "", berth.Errorf(berth.NotFound, "the server does not have the archive of this template's version: push the template again")
		}
		if n%20 == 0 {
			r.o.Log.Warn("fetching a template's archive; trying again until it works", "archive", hash, "error", err)
		}
		pause(ctx, backoff(n))
	}
}

func (r *Runner) fetch(ctx context.Context, hash, path string) error {
	in, err := r.o.Client.RunnerArchive(ctx, hash)
	if err != nil {
		return err
	}
	defer in.Close()
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), io.LimitReader(in, maxArchive))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("fetching the template's archive: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != hash {
		return errNotArchive
	}
	return os.Rename(f.Name(), path)
}

// pruneArchives keeps the newest used ones, and always more than there can be
// keepers about to read theirs.
func (r *Runner) pruneArchives() {
	entries, err := os.ReadDir(filepath.Join(r.o.Dir, "archives"))
	if err != nil {
		return
	}
	type file struct {
		name string
		used time.Time
	}
	var files []file
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > sendTime {
			files = append(files, file{e.Name(), info.ModTime()})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(b.used.UnixNano(), a.used.UnixNano()) })
	for _, f := range files[min(len(files), max(32, 4*r.o.Slots)):] {
		os.Remove(filepath.Join(r.o.Dir, "archives", f.name))
	}
}
