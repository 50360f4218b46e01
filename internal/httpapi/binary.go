package httpapi

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/bundle"
)

// binary serves the agent's binaries to workspaces, packed to those who can
// unpack. They are public: they hold no secret, and who fetches them has no
// token yet.
func (h *handlers) binary(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !slices.Contains(bundle.Agents(), name) {
		writeProblem(w, r, berth.Errorf(berth.NotFound, "there is no binary %q; there are %s", name, strings.Join(bundle.Agents(), ", ")))
		return
	}
	file, err := h.Bundle.Find(name)
	if err != nil {
		writeProblem(w, r, &berth.Error{Code: berth.NotFound, Err: err,
			Message: "this server carries no " + name + ": it was built without it, see make build"})
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Vary", "Accept-Encoding")
	header.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == berth.Release && berth.Release != "dev" {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	packed, isPacked := file.Gzip()
	isPacked = isPacked && acceptsGzip(r)
	tag := `"` + file.Tag + `"`
	if isPacked {
		tag = `"` + file.Tag + `-gzip"`
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("ETag", tag)
	if given := r.Header.Get("If-None-Match"); given != "" && strings.Contains(given, tag) {
		header.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if err := sendBinary(w, file, packed, isPacked); err != nil {
		requestOf(r.Context()).err = err
		panic(http.ErrAbortHandler) // the client must not take a part for the whole
	}
}

func sendBinary(w http.ResponseWriter, file *bundle.File, packed io.ReadSeeker, isPacked bool) error {
	if isPacked {
		size, err := packed.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		packed.Seek(0, io.SeekStart)
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		_, err = io.Copy(w, packed)
		return err
	}
	content, err := file.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	w.Header().Set("Content-Length", strconv.FormatInt(file.Size, 10))
	_, err = io.Copy(w, content)
	return err
}

// acceptsGzip reads Accept-Encoding; one that refuses gzip (q=0) is believed.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}
