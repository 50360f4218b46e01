package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// metadataAgent is an agent with items, and where its metadata is read.
func metadataAgent(t *testing.T, items ...berth.AgentMetadata) (*agent, string) {
	t.Helper()
	f := newFake(berth.AgentSpec{Metadata: items})
	a := testAgent(t, f)
	a.manifest.Store(&f.manifest)
	s := httptest.NewServer(http.HandlerFunc(a.metadata.serve))
	t.Cleanup(a.metadata.close)
	t.Cleanup(s.Close)
	return a, s.URL
}

// watcher reads the values of one stream.
func watcher(t *testing.T, url string) (next func() api.MetadataValue, leave func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(resp.Body)
	return func() (v api.MetadataValue) {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("no value: %v", lines.Err())
		}
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		return v
	}, func() { cancel(); resp.Body.Close() }
}

func TestMetadataIsCollectedWhileWatched(t *testing.T) {
	t.Parallel()
	count := filepath.Join(t.TempDir(), "count")
	ran := func() int { text, _ := os.ReadFile(count); return len(text) }
	a, url := metadataAgent(t, berth.AgentMetadata{Key: "k", DisplayName: "Kay", Script: "printf x >> " + count + "; wc -c < " + count, Interval: 2})
	if time.Sleep(300 * time.Millisecond); ran() != 0 {
		t.Fatal("it is collected while nobody watches")
	}
	next, leave := watcher(t, url)
	if v := next(); v.Key != "k" || v.DisplayName != "Kay" || v.Value != "1" || v.Error != "" || time.Since(v.CollectedAt) > time.Minute {
		t.Errorf("%+v", v)
	}
	also, alsoLeave := watcher(t, url)
	if v := also(); v.Value != "1" {
		t.Errorf("a second watcher begins with %+v", v)
	}
	if v := next(); v.Value != "2" {
		t.Errorf("%+v", v)
	}
	leave()
	if v := also(); v.Value != "2" {
		t.Errorf("%+v", v)
	}
	also()
	alsoLeave()
	watched := func() bool { a.metadata.mu.Lock(); defer a.metadata.mu.Unlock(); return a.metadata.stop != nil }
	eventually(t, "the end of the watching", func() bool { return !watched() })
	<-a.metadata.done
	before := ran()
	if time.Sleep(3 * time.Second); ran() > before {
		t.Error("it goes on when nobody watches")
	}
	a.metadata.mu.Lock()
	last := a.metadata.values["k"].Value
	a.metadata.mu.Unlock()
	again, _ := watcher(t, url)
	if v := again(); v.Value != last || last < "3" {
		t.Errorf("the last value, %s, was not kept: %+v", last, v)
	}
}

func TestMetadataOfBadScripts(t *testing.T) {
	t.Parallel()
	alive := filepath.Join(t.TempDir(), "alive")
	_, url := metadataAgent(t,
		berth.AgentMetadata{Key: "fails", Script: "echo said; exit 3", Interval: 60},
		berth.AgentMetadata{Key: "hangs", Script: "echo begun; sleep 2; touch " + alive, Interval: 60, Timeout: 1},
		berth.AgentMetadata{Key: "long", Script: "yes ä | head -c 100000 | tr -d '\\n'", Interval: 60},
		berth.AgentMetadata{Key: "noise", Script: "printf '\\377\\376ok'", Interval: 60},
		berth.AgentMetadata{Key: "leaves", Script: "echo left; sleep 30 & exit 0", Interval: 60},
	)
	got := map[string]api.MetadataValue{}
	next, _ := watcher(t, url)
	for range 5 {
		v := next()
		got[v.Key] = v
	}
	for key, want := range map[string]api.MetadataValue{
		"fails":  {Value: "said", Error: "The script failed: exit status 3."},
		"hangs":  {Value: "begun", Error: "The script was ended: it took longer than 1 s."},
		"long":   {Value: strings.Repeat("ä", maxMetadata/2)},
		"noise":  {Value: "�ok"},
		"leaves": {Value: "left"},
	} {
		if v := got[key]; v.Value != want.Value || v.Error != want.Error {
			t.Errorf("%s: %q %q", key, v.Value, v.Error)
		}
	}
	time.Sleep(1500 * time.Millisecond)
	if _, err := os.Stat(alive); err == nil {
		t.Error("a script went on after its timeout")
	}
}
