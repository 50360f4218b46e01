package api

import "time"

// CreateUser: POST /users
type CreateUser struct {
	Username      string    `json:"username"`
	Email         string    `json:"email"`
	Name          string    `json:"name,omitempty"`
	Password      string    `json:"password,omitempty" doc:"None: one is made, is in the answer, and has to be changed at the first sign-in"`
	SignIn        string    `json:"sign_in,omitempty" doc:"password, none (by tokens alone), or the id of an identity provider; empty: password"`
	Roles         []string  `json:"roles,omitempty" doc:"Of the site; owners of the site give them"`
	Organizations *[]string `json:"organizations,omitempty" doc:"Names or ids of what they join; left out: the default organization"`
}

// CreatedUser is a new user, with the password that was made for them.
type CreatedUser struct {
	User
	Password string `json:"password,omitempty" doc:"Shown once"`
}

// EditUser: PATCH /users/{user}. What is left out stays.
type EditUser struct {
	Username *string   `json:"username,omitempty"`
	Email    *string   `json:"email,omitempty"`
	Name     *string   `json:"name,omitempty" doc:"Full name"`
	Roles    *[]string `json:"roles,omitempty" doc:"Of the site: all that they are to have; owners of the site give and take them"`
}

// ChangePassword: PUT /users/me/password
type ChangePassword struct {
	Current  string `json:"current" doc:"The password until now"`
	Password string `json:"password" doc:"The new one"`
}

// NewPassword is a password that was made for somebody.
type NewPassword struct {
	Password string `json:"password" doc:"Shown once; it has to be changed at the next sign-in"`
}

// EndedTokens tells how many logins and tokens were ended.
type EndedTokens struct {
	Ended int `json:"ended"`
}

// TokenUse is that a token was used from somewhere.
type TokenUse struct {
	Token     string    `json:"token" doc:"Its id; it may be gone"`
	Address   string    `json:"address"`
	UserAgent string    `json:"user_agent,omitempty"`
	FirstAt   time.Time `json:"first_at"`
	LastAt    time.Time `json:"last_at"`
}
