package plugin

import (
	"bytes"
	"context"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestInner(t *testing.T) {
	for _, name := range []string{"berth", "nothing"} {
		if Inner(name) != nil {
			t.Errorf("the journal would serve %q", name)
		}
	}
	coder := Inner("coder")
	out, err := coder(t.Context(), "/tfplugin5.Provider/GetSchema", nil)
	if err != nil || !bytes.Contains(out, []byte("coder_agent")) {
		t.Errorf("the schema: %d bytes, %v", len(out), err)
	}
	for method, want := range map[string]codes.Code{
		"/tfplugin5.Provider/Nothing":            codes.Unimplemented,
		"/tfplugin6.Provider/GetSchema":          codes.Unimplemented,
		"/tfplugin5.Provider/PlanResourceChange": codes.Internal, // the message is none
	} {
		if _, err := coder(context.Background(), method, []byte{0xff}); status.Code(err) != want {
			t.Errorf("%s: %v, want %v", method, err, want)
		}
	}
	// A fault of the plugin is an error of the call.
	if _, err := coder(nil, "/tfplugin5.Provider/ReadDataSource", nil); err == nil { //nolint:staticcheck // on purpose
		t.Error("a call that cannot be made was answered")
	}
}
