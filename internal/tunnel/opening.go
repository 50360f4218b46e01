package tunnel

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// headerReceived, in the answer to the opening of a stream that resumes, is how
// many of the bytes towards the agent have arrived. Its absence says that the
// stream does not resume.
const headerReceived = "Berth-Received"

// headerActor is who opens a stream, as the relay says to the agent.
const headerActor = "Berth-Actor"

// Opening is a request for a stream, or for a new carrier of one.
type Opening struct {
	ID    string // a UUID; whoever opens makes it
	Kind  string // what to connect to: "ssh", "tcp:8080"
	Actor string // who opens, as far as the relay knows; only the same one may resume

	// Resumes asks for a stream that outlives its carriers. Carrier counts
	// them, from 0: another number is about a stream that was opened before,
	// and a higher one wins. From is how many bytes of the agent have arrived.
	Resumes bool
	Carrier int
	From    int64
}

// ReadOpening reads an Opening without its id and actor from a query.
func ReadOpening(q url.Values) (Opening, error) {
	o := Opening{Kind: q.Get("kind")}
	var err error
	if from := q.Get("from"); from != "" {
		if o.From, err = strconv.ParseInt(from, 10, 64); err != nil || o.From < 0 {
			return o, errors.New("from is not a number of bytes")
		}
	}
	if q.Has("resume") {
		o.Resumes = true
		if o.Carrier, err = strconv.Atoi(q.Get("resume")); err != nil || o.Carrier < 0 {
			return o, errors.New("resume is not the number of a carrier")
		}
	}
	return o, nil
}

func readOpening(r *http.Request) (Opening, error) {
	o, err := ReadOpening(r.URL.Query())
	o.ID, o.Actor = r.PathValue("id"), r.Header.Get(headerActor)
	return o, err
}

// query is what ReadOpening reads.
func (o Opening) query() string {
	q := url.Values{"kind": {o.Kind}, "from": {strconv.FormatInt(o.From, 10)}}
	if o.Resumes {
		q.Set("resume", strconv.Itoa(o.Carrier))
	}
	return q.Encode()
}

// receivedIn reads the answer to an opening.
func receivedIn(h http.Header) (received int64, resumes bool) {
	n, err := strconv.ParseInt(h.Get(headerReceived), 10, 64)
	return n, err == nil && n >= 0
}
