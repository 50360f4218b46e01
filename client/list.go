package client

import (
	"iter"
	"strconv"

	"github.com/berthdev/berth/api"
)

// List says which part of a list is wanted. Its zero value is the first page.
type List struct {
	Query string // for example "owner:me status:running"; where the list has one
	After string // Next of the page before
	Limit int    // 0: the server's default
}

func (l List) query(path string, pairs ...string) string {
	limit := ""
	if l.Limit > 0 {
		limit = strconv.Itoa(l.Limit)
	}
	return query(path, append(pairs, "q", l.Query, "after", l.After, "limit", limit)...)
}

// All goes through a list page by page:
//
//	for w, err := range client.All(client.List{Query: q}, func(l client.List) (api.Page[api.Workspace], error) {
//		return c.Workspaces(ctx, l)
//	}) { … }
//
// It ends after the first error.
func All[T any](l List, page func(List) (api.Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			p, err := page(l)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if p.Next == "" || p.Next == l.After {
				return
			}
			l.After = p.Next
		}
	}
}
