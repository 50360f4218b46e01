package e2e

import (
	"bytes"
	"compress/gzip"
	"os"
	"testing"

	"github.com/berthdev/berth/test/harness"
)

// Every workspace downloads the agent, and keeps it in memory.
func TestAgentIsSmall(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	data, err := os.ReadFile(harness.Bin(t, "berth-agent-linux-amd64"))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	w.Write(data)
	w.Close()
	t.Logf("%.2f MB compressed", float64(packed.Len())/1e6)
	if packed.Len() > 6_000_000 {
		t.Errorf("the agent is %d bytes, compressed: at most 6 MB. go build -ldflags=-dumpdep and <ReflectMethod> in it tell why methods that nobody calls are kept", packed.Len())
	}

	binary := ownAgent(t)
	s := harness.Start(t, harness.Options{})
	pushAnAgent(t, s)
	s.Berth("create", "web", "-t", "agent", "-y", "--parameter", "agent="+binary, "--parameter", "url="+s.URL)
	s.Berth("ssh", "web", "true")
	used := rss(t, agentPID(t, binary))
	t.Logf("%d MB resident", used)
	if used > 60 {
		t.Errorf("an agent that does nothing takes %d MB", used)
	}
}
