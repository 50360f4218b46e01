package server

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"
)

// The command says where it is and how to begin, and ends well when it is told
// to.
func TestRunGreetsAndStops(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := &greeting{said: cancel}
	o := Options{Data: t.TempDir(), Listener: l, NoRunner: true, Log: slog.New(slog.DiscardHandler)}
	if err := run(ctx, o, out); err != nil {
		t.Error(err)
	}
	url := "http://" + l.Addr().String()
	if got := out.String(); !strings.Contains(got, "up at "+url) || !strings.Contains(got, "berth login "+url) {
		t.Errorf("it said %q", got)
	}
}

// greeting is what the command says; said is called when it has told how to begin.
type greeting struct {
	bytes.Buffer
	said func()
}

func (g *greeting) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("berth login")) {
		g.said()
	}
	return g.Buffer.Write(p)
}

func TestCommands(t *testing.T) {
	t.Parallel()
	hidden := map[string]bool{"server": false, "keeper": true, "openapi": true, "config-reference": true}
	for _, c := range Commands() {
		want, known := hidden[c.Name()]
		if !known || c.Hidden != want {
			t.Errorf("command %s, hidden %v", c.Name(), c.Hidden)
		}
		if c.Name() == "server" {
			for _, s := range settings() {
				if c.Flags().Lookup(s.flag) == nil {
					t.Errorf("berth server has no --%s", s.flag)
				}
			}
		}
		if c.Name() == "openapi" {
			var out bytes.Buffer
			c.SetOut(&out)
			c.SetArgs(nil)
			if err := c.Execute(); err != nil || !json.Valid(out.Bytes()) {
				t.Errorf("openapi: %v", err)
			}
		}
	}
}

func TestLogSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ level, format, says string }{
		{"info", "text", ""}, {"", "", ""}, {"DEBUG", "json", ""}, {"loud", "text", "--log-level"}, {"info", "xml", "--log-format"},
	} {
		_, err := newLog(c.level, c.format)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
