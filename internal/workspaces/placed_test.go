package workspaces_test

import (
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

func TestTagsChooseTheProvider(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		size := berth.Parameter{Name: "size", Type: "string", Default: "small", Mutable: true}
		c := contents(size)
		c.Tags = &berth.Tags{Blocks: []string{`data.coder_parameter.s.value == "big" ? { gpu = "yes" } : {}`}, Parameters: map[string]string{"s": "size"}}
		h.push("dev", "v1", c)
		w, _ := h.running(h.mel, "d")
		make := func(name, size, provider string) (berth.ProviderID, error) {
			v, err := h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: name, Template: "dev", Provider: provider, Parameters: map[string]string{"size": size}})
			return v.Workspace.ProviderID, err
		}
		if p, err := make("a", "small", ""); err != nil || p != h.provider.ID {
			t.Errorf("small goes to %s, %v", p, err)
		}
		if _, err := make("b", "big", ""); field(err) != "provider" || !strings.Contains(err.Error(), "the tags gpu=yes") || !strings.Contains(err.Error(), "built-in has none") {
			t.Errorf("big is refused with %v", err)
		}
		far := berth.Provider{ID: berth.NewID[berth.Provider](), Name: "far", Tags: map[string]string{"gpu": "yes", "zone": "a"}}
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
			far.CreatedAt = tx.Now
			if err := tx.InsertProvider(far, []byte("far")); err != nil {
				return err
			}
			o, err := tx.OrganizationRef("")
			if err != nil {
				return err
			}
			_, err = tx.AllowProvider(o.ID, far.ID)
			return err
		}))
		if p, err := make("b", "big", ""); err != nil || p != far.ID {
			t.Errorf("big goes to %s, %v", p, err)
		}
		if _, err := make("c", "big", "built-in"); field(err) != "provider" || !strings.Contains(err.Error(), "built-in has none") {
			t.Errorf("a provider that does not fit is refused with %v", err)
		}

		// A workspace does not move.
		err := h.build(h.mel, w.Workspace.ID, workspaces.BuildInput{Transition: berth.Start, Parameters: map[string]string{"size": "big"}})
		if want(t, "a move", err, berth.Conflict); err == nil || !strings.Contains(err.Error(), "does not move") {
			t.Error(err)
		}
		must(t, h.build(h.mel, w.Workspace.ID, workspaces.BuildInput{Transition: berth.Start}))
	})
}
