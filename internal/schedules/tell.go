package schedules

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/notices"
)

// notice is what the owner of a workspace is told.
type notice struct {
	kind string
	data map[string]string
}

// tell tells the owner, once for each moment that the step is about. A date of a
// deletion is told each time that it is set: the last one told is the one that
// holds.
func (w *work) tell(n notice) error {
	ws, about := w.f.Workspace, w.step.Due
	if about.IsZero() {
		about = w.now
	}
	return w.notices.Tell(w.tx, berth.Notice{Kind: n.kind, WorkspaceID: ws.ID, TemplateID: ws.TemplateID, Data: n.data,
		Once: n.kind + " " + string(ws.ID) + " " + moment(about) + " " + moment(w.l.RemindedFor) + " " + moment(w.l.NoticedAt)}, ws.OwnerID)
}

func sleeps(w *work) notice {
	return notice{notices.KindDormant, times(map[string]string{"why": w.step.Why}, "deleting_at", w.l.DeletingAt)}
}

func deletionSoon(w *work) notice {
	return notice{notices.KindDeletionSoon, times(map[string]string{"why": w.step.Why}, "deleting_at", w.step.Due, "dormant_at", w.l.DormantAt)}
}

func stopSoon(w *work) notice {
	data := times(map[string]string{"why": w.step.Why}, "at", w.step.Due)
	if lifecycle.Deadline(w.f, w.now).Moves == 0 {
		data["fixed"] = "yes"
	}
	return notice{notices.KindStopSoon, data}
}

// times adds times to the data of a notice: a name, a time, and so on.
func times(data map[string]string, more ...any) map[string]string {
	for i := 0; i < len(more); i += 2 {
		if t := more[i+1].(time.Time); !t.IsZero() {
			data[more[i].(string)] = moment(t)
		}
	}
	return data
}
