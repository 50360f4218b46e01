package journal

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"
)

// TestMain lets this program be the process of a journal.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "journal" {
		os.Exit(Main(os.Stdin, os.Stdout, nil))
	}
	os.Exit(m.Run())
}

// fake is a plugin that notes what it is asked.
type fake struct {
	mu    sync.Mutex
	calls []string
	hold  chan struct{} // nil: it answers at once
}

func (f *fake) serve(t *testing.T) Upstream {
	t.Helper()
	at := filepath.Join(t.TempDir(), "p")
	listener, err := net.Listen("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.ForceServerCodec(raw{}), grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
		full, _ := grpc.MethodFromServerStream(s)
		var in []byte
		if err := s.RecvMsg(&in); err != nil {
			return err
		}
		f.mu.Lock()
		f.calls = append(f.calls, full[strings.LastIndexByte(full, '/')+1:])
		f.mu.Unlock()
		if f.hold != nil && strings.HasSuffix(full, "ApplyResourceChange") {
			<-f.hold
		}
		out := message(responseState, last(in, applyPlanned))
		return s.SendMsg(&out)
	}))
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return Upstream{Source: "example.com/a/a", Protocol: 6, Address: at}
}

func (f *fake) heard(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c == method {
			n++
		}
	}
	return n
}

// message has these fields, each a number and its bytes.
func message(pairs ...any) (b []byte) {
	for i := 0; i < len(pairs); i += 2 {
		b = protowire.AppendTag(b, fieldNumber(pairs[i].(int)), protowire.BytesType)
		b = protowire.AppendBytes(b, pairs[i+1].([]byte))
	}
	return b
}

var null, something = message(dynamicMsgpack, []byte{0xc0}), message(dynamicMsgpack, []byte{0x80})

func change(kind, action string) []byte {
	prior, planned := something, something
	switch action {
	case "create":
		prior = null
	case "delete":
		planned = null
	}
	return message(requestType, []byte(kind), requestPrior, prior, applyPlanned, planned)
}

// begin opens a journal in front of f, and a connection as terraform has one.
func begin(t *testing.T, f *fake) (j *Journal, dir string, call func(method string, in []byte) ([]byte, error)) {
	t.Helper()
	dir = t.TempDir()
	j, err := Open(t.Context(), Options{Path: "/proc/self/exe", Args: []string{"berth-plugin", "journal"}, Dir: dir, Plugins: []Upstream{f.serve(t)}, Engine: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	conn, err := dial(j.sockets[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return j, dir, func(method string, in []byte) (out []byte, err error) {
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		err = conn.Invoke(ctx, "/tfplugin6.Provider/"+method, &in, &out)
		return out, err
	}
}

func records(t *testing.T, dir string) []Record {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	list, err := Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestChangesWaitAndOnlyTheJudgedPass(t *testing.T) {
	f := &fake{}
	j, dir, call := begin(t, f)
	if _, err := call("ReadResource", nil); err != nil || f.heard("ReadResource") != 1 {
		t.Errorf("a harmless call does not pass: %v", err)
	}
	ended := make(chan []byte, 3)
	for _, in := range [][]byte{change("a_a", "create"), change("a_a", "delete"), change("a_b", "update")} {
		go func() {
			out, err := call("ApplyResourceChange", in)
			if err != nil {
				t.Error(err)
			}
			ended <- out
		}()
	}
	unknown := make(chan error, 1)
	go func() {
		_, err := call("InvokeSomethingNew", nil)
		unknown <- err
	}()
	select {
	case <-ended:
		t.Fatal("a change passes before it is judged")
	case <-unknown:
		t.Fatal("a call that is not known passes before the plan is judged")
	case <-time.After(200 * time.Millisecond):
	}
	if n := f.heard("ApplyResourceChange") + f.heard("InvokeSomethingNew"); n != 0 {
		t.Fatalf("the plugin heard of %d changes", n)
	}
	if err := j.Release(t.Context(), []Change{{Address: "a_a.x", Type: "a_a", Actions: []string{"create"}}}); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for range 3 {
		if list := problems(<-ended, applyResponseProblems); len(list) > 0 {
			refused++
			if !strings.Contains(list[0], "nothing of the plan that was judged") {
				t.Error(list)
			}
		}
	}
	if err := <-unknown; err != nil {
		t.Error(err)
	}
	if refused != 2 || f.heard("ApplyResourceChange") != 1 {
		t.Errorf("%d changes were refused, and %d made", refused, f.heard("ApplyResourceChange"))
	}
	// Made once, it is not made again.
	out, _ := call("ApplyResourceChange", change("a_a", "create"))
	if len(problems(out, applyResponseProblems)) == 0 {
		t.Error("one change of the plan was made twice")
	}
	var events []Event
	for _, r := range records(t, dir) {
		events = append(events, r.Event)
	}
	if want := []Event{Opened, Released, Schema, Begun, Ended}; !slices.Equal(events, want) {
		t.Errorf("written down: %v", events)
	}
}

func TestNothingPassesOnceItIsDenied(t *testing.T) {
	f := &fake{}
	j, dir, call := begin(t, f)
	j.Deny("because")
	out, err := call("ApplyResourceChange", change("a_a", "create"))
	if list := problems(out, applyResponseProblems); err != nil || !slices.Equal(list, []string{"because"}) {
		t.Errorf("%v, %v", list, err)
	}
	if err := j.Release(t.Context(), []Change{{Address: "a_a.x", Type: "a_a", Actions: []string{"create"}}}); err != nil {
		t.Fatal(err)
	}
	if out, _ := call("ApplyResourceChange", change("a_a", "create")); len(problems(out, applyResponseProblems)) == 0 || f.heard("ApplyResourceChange") != 0 {
		t.Error("what was denied can be released")
	}
	if list := records(t, dir); slices.ContainsFunc(list, func(r Record) bool { return r.Event == Begun }) {
		t.Errorf("%+v", list)
	}
}

// Whoever judges dies: nothing passes any more.
func TestNothingPassesOnceNobodyJudges(t *testing.T) {
	f := &fake{}
	j, _, call := begin(t, f)
	ended := make(chan []byte, 1)
	go func() {
		out, _ := call("ApplyResourceChange", change("a_a", "create"))
		ended <- out
	}()
	for j.in.Close(); ; time.Sleep(time.Millisecond) {
		select {
		case out := <-ended:
			if len(problems(out, applyResponseProblems)) == 0 || f.heard("ApplyResourceChange") != 0 {
				t.Error("the change was made")
			}
			<-j.Done() // and it ends by itself
			return
		case <-t.Context().Done():
			t.Fatal("it waits for ever")
		default:
		}
	}
}

// Terraform dies in the middle of a change: it is made, and written down.
func TestAChangeOutlivesTerraform(t *testing.T) {
	f := &fake{hold: make(chan struct{})}
	j, dir, _ := begin(t, f)
	if err := j.Release(t.Context(), []Change{{Address: "a_a.x", Type: "a_a", Actions: []string{"create"}}}); err != nil {
		t.Fatal(err)
	}
	conn, err := dial(j.sockets[0])
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		in, out := change("a_a", "create"), []byte(nil)
		_ = conn.Invoke(t.Context(), "/tfplugin6.Provider/ApplyResourceChange", &in, &out)
	}()
	for f.heard("ApplyResourceChange") == 0 {
		time.Sleep(time.Millisecond)
	}
	conn.Close()
	if list := records(t, dir); list[len(list)-1].Event != Begun || !slices.Equal(list[len(list)-1].Addresses, []string{"a_a.x"}) {
		t.Errorf("before it is made: %+v", list[len(list)-1])
	}
	close(f.hold)
	if err := j.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := records(t, dir)
	if r := list[len(list)-1]; r.Event != Ended || r.Lost != "" || !slices.Equal(r.State, something) {
		t.Errorf("after it is made: %+v", r)
	}
}

// However a journal is cut off, what it says is true.
func TestReadOfWhatWasCutOff(t *testing.T) {
	_, dir, _ := begin(t, &fake{})
	b, err := openBook(filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	whole := []Record{{Event: Opened}, {Event: Released, Plan: []Change{{Address: "a"}}}, {Event: Begun, Seq: 1, State: []byte("x")}, {Event: Ended, Seq: 1}}
	for _, r := range whole {
		if err := b.write(r); err != nil {
			t.Fatal(err)
		}
	}
	text, _ := os.ReadFile(filepath.Join(dir, "other"))
	for n := range len(text) + 1 {
		list, err := Read(text[:n])
		if err != nil && len(list) > 0 || len(list) > len(whole) {
			t.Fatal(n, err)
		}
		for i, r := range list {
			if r.Event != whole[i].Event || r.Seq != whole[i].Seq || string(r.State) != string(whole[i].State) {
				t.Fatalf("cut at %d: %+v", n, r)
			}
		}
	}
}

// Whatever a plugin sends, nothing panics.
func FuzzShape(f *testing.F) {
	f.Add([]byte{}, []byte{}, "a")
	f.Add(message(schemaBlock, message(blockAttributes, message(attributeName, []byte("id"), attributeType, []byte(`"string"`)))), message(dynamicMsgpack, []byte("\x81\xa2id\xa1x")), "id")
	f.Fuzz(func(t *testing.T, schema, value []byte, kind string) {
		_ = schemaOf(schema, kind)
		_ = problems(value, applyResponseProblems)
		_ = Path(value)
		if s, err := ReadShape(schema); err == nil {
			_, _ = s.Value(value)
		}
	})
}

func TestShapeOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "schema")
		if s, err := ReadShape(b); err == nil {
			_, _ = s.Value(rapid.SliceOf(rapid.Byte()).Draw(t, "value"))
		}
	})
}
