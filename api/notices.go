package api

import "time"

// Notice is something that the caller was told.
type Notice struct {
	ID          string            `json:"id"`
	Kind        string            `json:"kind"`
	Title       string            `json:"title" doc:"One line"`
	Body        string            `json:"body" doc:"Plain text: what happened, why, and what to do"`
	Link        string            `json:"link,omitempty"`
	WorkspaceID string            `json:"workspace_id,omitempty"`
	TemplateID  string            `json:"template_id,omitempty"`
	Data        map[string]string `json:"data" doc:"What the words are made of"`
	CreatedAt   time.Time         `json:"created_at"`
	ReadAt      *time.Time        `json:"read_at,omitempty"`
}

// Notices is one page of an inbox. GET /notices
type Notices struct {
	Page[Notice]
	Unread int `json:"unread" doc:"Of the whole inbox"`
}

// ReadNotices marks notices as read. POST /notices/read
type ReadNotices struct {
	IDs []string `json:"ids,omitempty" maxItems:"500"`
	All bool     `json:"all,omitempty" doc:"All that there are now, instead of ids"`
}

// NoticePreferences is how the caller is told of what.
// GET /users/me/notice-preferences
type NoticePreferences struct {
	Ways  []string           `json:"ways" doc:"Those that this server has: inbox, email, webhook"`
	Kinds []NoticePreference `json:"kinds"`
}

// NoticePreference is how the caller is told of one kind.
type NoticePreference struct {
	Kind   string          `json:"kind"`
	About  string          `json:"about" doc:"When people are told"`
	To     string          `json:"to" doc:"Who is told"`
	Wanted map[string]bool `json:"wanted" doc:"By way"`
	Fixed  []string        `json:"fixed" doc:"Ways that cannot be switched off"`
}

// SetNoticePreferences changes some switches: kind, way, and whether it is
// wanted. PATCH /users/me/notice-preferences
type SetNoticePreferences struct {
	Kinds map[string]map[string]bool `json:"kinds"`
}

// NoticeSending is whether notices leave the house. GET /notices/sending
type NoticeSending struct {
	Ways     []string   `json:"ways" doc:"Those that are set up, besides the inbox: email, webhook"`
	Paused   bool       `json:"paused"`
	PausedAt *time.Time `json:"paused_at,omitempty"`
	PausedBy string     `json:"paused_by,omitempty"`
	Waiting  int        `json:"waiting" doc:"Are to be sent"`
}

// PauseNotices: PUT /notices/sending
type PauseNotices struct {
	Paused bool `json:"paused"`
}

// NoticeDelivery is the sending of a notice on one way.
type NoticeDelivery struct {
	NoticeID  string     `json:"notice_id"`
	Way       string     `json:"way"`
	Status    string     `json:"status" enum:"pending,sent,failed,dropped"`
	Tries     int        `json:"tries"`
	NextAt    *time.Time `json:"next_at,omitempty" doc:"While it is pending: of the next try"`
	Error     string     `json:"error,omitempty" doc:"Of the last try"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
}

// NoticeTrouble is one that could not be sent, or not yet. It tells to whom, not
// what. GET /notices/troubles
type NoticeTrouble struct {
	NoticeDelivery
	Kind string `json:"kind"`
	User string `json:"user" doc:"Username"`
}
