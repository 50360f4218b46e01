package api

// Problem is the body of every error answer (RFC 9457, application/problem+json).
type Problem struct {
	Type      string `json:"type,omitempty" doc:"Always about:blank"`
	Title     string `json:"title" doc:"Text of the status"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty" doc:"What is wrong and what cures it, for a person"`
	Code      string `json:"code" doc:"invalid, unauthenticated, forbidden, not_found, conflict, limit, unavailable or internal"`
	Field     string `json:"field,omitempty" doc:"Input field that is wrong"`
	RequestID string `json:"request_id,omitempty"`
}

// Page holds one page of a list. Next is given as `after` to get the one behind it.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Empty on the last page"`
}
