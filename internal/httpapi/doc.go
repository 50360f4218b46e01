// Package httpapi puts HTTP in front of the use cases: authentication, mapping
// between the wire types of package api and the nouns of package berth, errors,
// and the OpenAPI document.
//
// One file per noun holds its operations and the functions that make its view.
// Operations are listed in one slice, operations.go. Each declares who may call
// it (public, person, agent or runner), which is checked before its input is
// looked at; what a person may do is decided in the use cases, never here.
//
// Guarantees:
//
//   - Every error answer is an api.Problem. An error that is not a berth.Error
//     becomes a 500 with a request id and nothing else; its text goes to the
//     log, once.
//   - Every answer carries an X-Request-Id, which the log names too. No token,
//     password, cookie, query or body is logged.
//   - A cookie counts only in requests that a page of this server made, and over
//     https only if this host set it (cookies.go).
//   - What a person wanted to change and may not is recorded (record.go); what
//     was changed, the use cases record.
//   - Bodies are bounded in size and time, long answers end when the server
//     stops or their token no longer holds.
//
// The package keeps nothing, holds no rule of the domain, and reaches the queue
// only for the calls of runners.
package httpapi
