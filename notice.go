package berth

import "time"

// Notice is something that a person is told.
type Notice struct {
	ID          NoticeID
	UserID      UserID
	Kind        string // see internal/notices
	Title       string // one line
	Body        string // plain text
	Data        map[string]string
	WorkspaceID WorkspaceID // that it is about; may be empty
	TemplateID  TemplateID
	Once        string // a person is told the same only once; empty: each time
	InInbox     bool
	CreatedAt   time.Time
	ReadAt      time.Time // zero: not yet
}
