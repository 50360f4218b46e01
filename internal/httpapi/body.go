package httpapi

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/berthdev/berth"
)

// Most bytes that a request's body may have.
const (
	limitDefault = 1 << 20
	limitArchive = 11 << 20 // 10 MB packed; a little more, so that the use case can say it in its words
	limitLogs    = 8 << 20
	limitState   = 128 << 20 // states travel as base64 in the runner's calls
)

// A body must go on arriving, and have arrived whole after a while.
const (
	bodyPause = 30 * time.Second
	bodyTotal = 10 * time.Minute
)

// patientBody bounds how slowly a body may arrive. The deadline is on the
// connection only during a Read: left there, it would end the request while
// its handler does something long, such as waiting for a build.
type patientBody struct {
	io.ReadCloser
	conn *http.ResponseController
	end  time.Time
}

func newPatientBody(w http.ResponseWriter, r *http.Request) *patientBody {
	return &patientBody{ReadCloser: r.Body, conn: http.NewResponseController(w), end: time.Now().Add(bodyTotal)}
}

func (b *patientBody) Read(p []byte) (int, error) {
	deadline := time.Now().Add(bodyPause)
	if b.end.Before(deadline) {
		deadline = b.end
	}
	// Without a connection (calls within the process) there is nothing to bound.
	if b.conn.SetReadDeadline(deadline) == nil {
		defer b.conn.SetReadDeadline(time.Time{})
	}
	return b.ReadCloser.Read(p)
}

// readAll reads a raw body whole.
func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(r)
	return data, tooLarge(err)
}

// tooLarge says in our words that a raw body is behind its limit or came too
// slowly; other errors stay as they are.
func tooLarge(err error) error {
	var large *http.MaxBytesError
	var slow interface{ Timeout() bool }
	switch {
	case errors.As(err, &large):
		return newProblem(http.StatusRequestEntityTooLarge, berth.Limit, "", "the upload is too large", "")
	case errors.As(err, &slow) && slow.Timeout():
		return &berth.Error{Code: berth.Unavailable, Message: "the upload came too slowly: try again", Err: err}
	}
	return err
}
