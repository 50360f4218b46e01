package berth

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an Error is. There are few on purpose: a
// caller can do something different about each.
type Code string

const (
	Invalid         Code = "invalid"         // the input is wrong; Field names where
	Unauthenticated Code = "unauthenticated" // nobody, or no longer, signed in
	Forbidden       Code = "forbidden"       // signed in, may know of the thing, may not do this
	NotFound        Code = "not_found"       // is not there, or the caller may not know that it is
	Conflict        Code = "conflict"        // the thing is in another state than this needs
	Limit           Code = "limit"           // too much, too often, too large
	Unavailable     Code = "unavailable"     // something that is needed is away; try again
	Internal        Code = "internal"        // our fault; details stay in the log
)

// Error makes a Code usable as a target: errors.Is(err, berth.NotFound).
func (c Code) Error() string { return string(c) }

// Error is the one error type that carries meaning across packages and across
// the wire. It is made where the fact is known and mapped once, in httpapi,
// to a status; package client maps it back.
type Error struct {
	Code    Code
	Message string // for the person, a sentence that names the cure; safe to show
	Field   string // input field that is wrong, as the wire names it; may be empty
	Err     error  // cause for the log; never shown
}

func (e *Error) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Is holds for the Error's own code.
func (e *Error) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == e.Code
}

// Errorf makes an Error of code c. A %w in the format becomes the message's
// text too, so use it only with causes that are safe to show; set Err for
// others.
func Errorf(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Message: fmt.Sprintf(format, args...)}
}

// InvalidField makes an Invalid error about one field of the input.
func InvalidField(field, format string, args ...any) *Error {
	return &Error{Code: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// ErrorCode is the code of the first Error in err's chain, Internal for any
// other error and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// ErrorMessage is what may be shown of err: the message of the first Error in
// its chain, and nothing of any other error.
func ErrorMessage(err error) string {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) && e.Code != Internal {
		return e.Message
	}
	return "an internal error occurred"
}
