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

// Way is how a notice reaches a person.
type Way string

const (
	WayInbox   Way = "inbox" // of the page and the command line
	WayEmail   Way = "email"
	WayWebhook Way = "webhook" // a program of the site, which passes it on
)

// Ways lists them.
var Ways = []Way{WayInbox, WayEmail, WayWebhook}

// Delivery is the sending of a notice out of the house.
type Delivery struct {
	ID        DeliveryID
	NoticeID  NoticeID
	Way       Way
	Status    DeliveryStatus
	Tries     int
	NextAt    time.Time // of the next try; while one is under way, when that counts as lost
	Error     string    // of the last try
	CreatedAt time.Time
	EndedAt   time.Time // zero while it is pending
}

type DeliveryStatus string

const (
	DeliveryPending DeliveryStatus = "pending"
	DeliverySent    DeliveryStatus = "sent"
	DeliveryFailed  DeliveryStatus = "failed"  // given up
	DeliveryDropped DeliveryStatus = "dropped" // nobody is to have it any more
)
