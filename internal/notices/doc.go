// Package notices tells people what happened to what is theirs: in the inbox of
// the page and the command line, by e-mail, and by a signed webhook.
//
// Guarantees: a notice is written in the transaction of what it is about, so it
// is told exactly when that happened. Each way out of the house is tried until
// it worked, with pauses that grow, at least once and under one id by which a
// receiver knows a repetition; after some days it is given up and shown. A
// person may switch kinds off, but for those that a rule depends on.
//
// It decides nothing, and a receiver that is away never keeps anything else
// waiting.
package notices
