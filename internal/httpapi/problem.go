package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// statuses is the one table from codes to statuses; package client goes back
// by the code in the body.
var statuses = map[berth.Code]int{
	berth.Invalid:         http.StatusBadRequest,
	berth.Unauthenticated: http.StatusUnauthorized,
	berth.Forbidden:       http.StatusForbidden,
	berth.NotFound:        http.StatusNotFound,
	berth.Conflict:        http.StatusConflict,
	berth.Limit:           http.StatusTooManyRequests,
	berth.Unavailable:     http.StatusServiceUnavailable,
	berth.Internal:        http.StatusInternalServerError,
}

// problem is api.Problem as an error that huma writes as it is.
type problem struct{ api.Problem }

func (p *problem) Error() string             { return p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return "application/problem+json" }

func newProblem(status int, code berth.Code, field, detail, requestID string) *problem {
	return &problem{api.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: detail, Code: string(code), Field: field, RequestID: requestID,
	}}
}

// problemOf maps what a use case returned, and leaves the error itself for the
// log. Of an error that is not a berth.Error nothing is shown: it may hold a
// query, a path or a password.
func problemOf(ctx context.Context, err error) *problem {
	req := requestOf(ctx)
	req.err = err
	var shown *problem
	if errors.As(err, &shown) {
		shown.RequestID = req.id
		return shown
	}
	code := berth.ErrorCode(err)
	var e *berth.Error
	switch known := errors.As(err, &e); {
	case known && code != berth.Internal:
		return newProblem(statuses[code], code, e.Field, e.Message, req.id)
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem(http.StatusServiceUnavailable, berth.Unavailable, "", "this took too long: try again", req.id)
	case errors.Is(err, context.Canceled):
		return newProblem(http.StatusServiceUnavailable, berth.Unavailable, "", "the request was given up", req.id)
	}
	return newProblem(http.StatusInternalServerError, berth.Internal, "", "", req.id)
}

// writeProblem answers outside of huma.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(r.Context(), err)
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

// huma makes its own errors (validation, media types, sizes) through these
// variables. They are set before any API exists, and only this package uses it.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return humaProblem(nil, status, message, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		if ctx == nil {
			return humaProblem(nil, status, message, errs)
		}
		return humaProblem(requestOf(ctx.Context()), status, message, errs)
	}
	huma.DefaultArrayNullable = false // views never answer null for a list
}

// humaProblem maps an error that huma found by itself. Values of the input,
// which may be secret, are left out.
func humaProblem(req *request, status int, message string, errs []error) *problem {
	id := ""
	if req != nil {
		id, req.err = req.id, errors.Join(append([]error{errors.New(message)}, withoutValues(errs)...)...)
	}
	switch status {
	case http.StatusRequestEntityTooLarge:
		return newProblem(status, berth.Limit, "", "the request is too large", id)
	case http.StatusRequestTimeout:
		return newProblem(status, berth.Unavailable, "", "the request came too slowly: try again", id)
	case http.StatusUnsupportedMediaType:
		return newProblem(status, berth.Invalid, "", "send JSON, with Content-Type: application/json", id)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		field, detail := firstDetail(message, errs)
		return newProblem(http.StatusBadRequest, berth.Invalid, field, detail, id)
	}
	return newProblem(http.StatusInternalServerError, berth.Internal, "", "", id)
}

// firstDetail names the first wrong field as the wire does: the path in the
// body, or the name of a parameter.
func firstDetail(message string, errs []error) (field, detail string) {
	for _, err := range errs {
		var d *huma.ErrorDetail
		if !errors.As(err, &d) {
			continue
		}
		_, field, _ = strings.Cut(d.Location, ".")
		return field, d.Message
	}
	return "", message
}

// withoutValues drops the values that huma copies from the input into its
// errors: they must not reach the log.
func withoutValues(errs []error) []error {
	var kept []error
	for _, err := range errs {
		var d *huma.ErrorDetail
		if errors.As(err, &d) {
			err = &huma.ErrorDetail{Message: d.Message, Location: d.Location}
		}
		kept = append(kept, err)
	}
	return kept
}
