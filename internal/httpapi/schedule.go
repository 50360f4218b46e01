package httpapi

import (
	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/schedules"
)

func viewAhead(w berth.Workspace, _ schedules.Ahead) api.Ahead {
	return api.Ahead{DormantAt: moment(w.DormantAt), DeletingAt: moment(w.DeletingAt)}
}
