// Package client calls the API of a Berth server.
//
// A Client has one method per operation, named after what it does; a test
// compares the list with api/openapi.json. Errors come back as *berth.Error with
// the code that they had on the server, so errors.Is(err, berth.NotFound)
// holds on both sides of the wire; a server that cannot be reached is
// berth.Unavailable, with a sentence that says what to look at. Only reads are
// repeated, a few times and only where the server was not there to answer;
// watches go on where they broke off.
//
// People, runners and agents use the same Client with a token of theirs. It
// keeps no state but the connection pool, and may be used by many goroutines.
// It reads no configuration and prints nothing.
package client
