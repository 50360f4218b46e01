package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/berthdev/berth/api"
)

// operation is one entry of the list in operations.go.
type operation struct {
	access   access
	register func(h *handlers, target huma.API, mux *http.ServeMux)
}

// option changes how an operation is documented or bounded.
type option func(*huma.Operation)

// op declares an operation: who may call it, "METHOD /path", its id (the name
// of the client's method), one line on what it does, and its handler.
func op[I, O any](who access, route, id, summary string, handle func(*handlers, context.Context, *I) (*O, error), options ...option) operation {
	return operation{who, func(h *handlers, target huma.API, _ *http.ServeMux) {
		o := describe(who, route, id, summary, options)
		o.Middlewares = huma.Middlewares{h.authenticated(who, deedOf(o))}
		huma.Register(target, *o, func(ctx context.Context, in *I) (*O, error) {
			out, err := handle(h, ctx, in)
			if err != nil {
				return nil, problemOf(ctx, err) // never err itself: huma would print it
			}
			return out, nil
		})
	}}
}

// socket declares a websocket, which huma does not know. The handler returns
// an error only while nothing was written.
func socket(who access, route, id, summary string, handle func(*handlers, http.ResponseWriter, *http.Request) error, options ...option) operation {
	return operation{who, func(h *handlers, target huma.API, mux *http.ServeMux) {
		o := describe(who, route, id, summary, options)
		o.Responses["101"] = &huma.Response{Description: "A websocket"}
		for _, name := range pathParameters(o.Path) {
			o.Parameters = append(o.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: "string"}})
		}
		target.OpenAPI().AddOperation(o)
		mux.HandleFunc(o.Method+" "+api.Prefix+o.Path, h.guarded(who, func(w http.ResponseWriter, r *http.Request) error {
			deedOf(o).intends(r)
			return handle(h, w, r)
		}))
	}}
}

// pathParameters are the names in braces.
func pathParameters(path string) (names []string) {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			names = append(names, strings.Trim(part, "{}"))
		}
	}
	return names
}

func describe(who access, route, id, summary string, options []option) *huma.Operation {
	method, path, _ := strings.Cut(route, " ")
	noun, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	o := &huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary,
		Tags:            []string{noun},
		Security:        security[who],
		Extensions:      map[string]any{"x-access": string(who.caller())},
		Responses:       map[string]*huma.Response{},
		MaxBodyBytes:    limitDefault + 1, // huma refuses a body that reaches the limit
		BodyReadTimeout: -1,               // patientBody bounds it
	}
	if who == agent || who == anyAgent || who == runner {
		// Theirs are newer or older programs of ours: a field that this server
		// does not know is skipped, and the protocol version settles the rest.
		o.SkipValidateBody = true
	}
	for _, set := range options {
		set(o)
	}
	return o
}

var security = map[access][]map[string][]string{
	public:   {},
	person:   {{"token": {}}, {"cookie": {}}},
	agent:    {{"agent": {}}},
	anyAgent: {{"agent": {}}},
	runner:   {{"provider": {}}},
}

var securitySchemes = map[string]*huma.SecurityScheme{
	"token":    {Type: "http", Scheme: "bearer", Description: "A login's or API token: berth tokens create"},
	"cookie":   {Type: "apiKey", In: "cookie", Name: loginCookie, Description: "A browser's login; counts only in requests of Berth's own pages"},
	"agent":    {Type: "http", Scheme: "bearer", Description: "The token of a workspace's agent"},
	"provider": {Type: "http", Scheme: "bearer", Description: "The token of a workspace provider"},
}

// atMost bounds the body.
func atMost(bytes int64) option {
	return func(o *huma.Operation) { o.MaxBodyBytes = bytes + 1 }
}

// status is that of the answer when all went well.
func status(code int) option {
	return func(o *huma.Operation) { o.DefaultStatus = code }
}

// about adds to the summary.
func about(text string) option {
	return func(o *huma.Operation) { o.Description = text }
}

// sends documents a raw body.
func sends(contentType, text string) option {
	return func(o *huma.Operation) {
		o.RequestBody = &huma.RequestBody{
			Required: true, Description: text,
			Content: map[string]*huma.MediaType{contentType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
		}
	}
}

// answers documents a raw answer.
func answers(contentType, text string) option {
	return func(o *huma.Operation) {
		o.Responses["200"] = &huma.Response{
			Description: text,
			Content:     map[string]*huma.MediaType{contentType: {Schema: &huma.Schema{Type: "string"}}},
		}
	}
}

// orNothing documents that the answer may be 204.
func orNothing(text string) option {
	return func(o *huma.Operation) {
		o.Responses["200"] = &huma.Response{}
		o.Responses["204"] = &huma.Response{Description: text}
		// huma adds this by itself only where there is one answer.
		o.Responses["default"] = &huma.Response{
			Description: "Error",
			Content: map[string]*huma.MediaType{
				"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}},
			},
		}
	}
}

// body is an answer of JSON.
type body[T any] struct{ Body T }

func answered[T any](v T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{v}, nil
}

// list makes the items of an answer, [] rather than null when there are none.
func list[F, T any](from []F, view func(F) T) []T {
	items := make([]T, 0, len(from))
	for _, f := range from {
		items = append(items, view(f))
	}
	return items
}
