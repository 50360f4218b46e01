package templates

import (
	"sync"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/forms"
	"github.com/berthdev/berth/internal/source"
	"github.com/berthdev/berth/internal/store"
)

// Questions is what a version asks of whom in describes. It needs no right: the
// caller has checked that the actor may know it.
func (s *Service) Questions(q *store.Query, v berth.Version, in forms.Input) (forms.Result, error) {
	in.Imported = v.Contents.Parameters
	variables, err := s.Variables(q, v.ID)
	if err != nil {
		return forms.Result{}, err
	}
	in.Variables = variables
	t, err := s.library.template(q, v)
	if err != nil {
		return forms.Result{}, err
	}
	return t.Evaluate(in), nil
}

// maxRead is how much memory the templates may take that are kept read, in bytes
// as they count it.
const maxRead = 32 << 20

// library keeps the templates of versions that were asked for last, since versions
// never change. Its zero value is empty.
type library struct {
	mu    sync.Mutex
	kept  map[berth.VersionID]*forms.Template
	order []berth.VersionID // the one asked for longest ago comes first
	size  int
}

// template is a version's. nil: its files cannot be evaluated, which is no
// error: an import took them.
func (r *library) template(q *store.Query, v berth.Version) (*forms.Template, error) {
	r.mu.Lock()
	t, ok := r.kept[v.ID]
	if ok {
		r.touch(v.ID)
	}
	r.mu.Unlock()
	if ok {
		return t, nil
	}
	files := source.Files{}
	for _, hash := range []string{v.Archive, v.Carried} {
		if hash == "" {
			continue
		}
		data, err := q.Archive(hash)
		if err != nil {
			return nil, err
		}
		if files.Unpack(data) != nil {
			files = nil
			break
		}
	}
	t = open(files)
	r.keep(v.ID, t)
	return t, nil
}

// open reads a template; nil if that cannot be done, or takes so much memory that
// it could not be kept: it would be read anew at every look.
func open(files source.Files) *forms.Template {
	if files == nil {
		return nil
	}
	t, err := forms.Open(files)
	if err != nil || t.Size() > maxRead/2 {
		return nil
	}
	return t
}

func (r *library) touch(v berth.VersionID) {
	for i, id := range r.order {
		if id == v {
			r.order = append(append(r.order[:i:i], r.order[i+1:]...), v)
			return
		}
	}
}

func (r *library) keep(v berth.VersionID, t *forms.Template) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := r.kept[v]; there {
		return
	}
	if r.kept == nil {
		r.kept = map[berth.VersionID]*forms.Template{}
	}
	r.kept[v], r.order = t, append(r.order, v)
	for r.size += t.Size(); r.size > maxRead; {
		first := r.order[0]
		r.size -= r.kept[first].Size()
		delete(r.kept, first)
		r.order = r.order[1:]
	}
}
