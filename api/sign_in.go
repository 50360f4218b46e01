package api

import "time"

// AskLogin lets a command line ask to be let in by a browser. POST /login/requests
type AskLogin struct {
	Challenge string `json:"challenge" doc:"SHA-256 of a secret that the command line keeps, in base64url without padding"`
	Client    string `json:"client" doc:"What the person is told that asks: program and computer"`
}

// AskedLogin is the answer: a person opens URL.
type AskedLogin struct {
	ID        string    `json:"id"`
	URL       string    `json:"url" doc:"Page on which a person lets the command line in, and gets a code for it"`
	ExpiresAt time.Time `json:"expires_at"`
}

// FinishLogin: POST /login/requests/{request}/finish
type FinishLogin struct {
	Verifier string `json:"verifier" doc:"The secret of the challenge"`
	Code     string `json:"code" doc:"That the browser shows"`
}
