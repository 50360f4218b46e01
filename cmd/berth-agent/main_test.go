package main

import (
	"path/filepath"
	"testing"
)

func TestNameDecides(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		want bool
	}{
		{[]string{"/tmp/x/berth-agent-linux-amd64", "agent"}, false},
		{[]string{"berth-agent"}, false},
		{[]string{"berth-agent", "version"}, false},
		{[]string{"/tmp/x/bin/coder"}, true},
		{[]string{"coder", "list"}, true},
		{[]string{"berth", "ssh", "agent"}, true},
		{[]string{"coder", "agent"}, false},
		{[]string{"berth", "agent"}, false},
		{[]string{"/tmp/x/bin/berth-askpass", "Password for 'https://git': "}, true},
		{[]string{"/tmp/x/bin/berth-askpass"}, true},
	}
	for _, tt := range tests {
		rest, got := commandLine(tt.args)
		if got != tt.want {
			t.Errorf("%v: %v", tt.args, got)
		}
		if filepath.Base(tt.args[0]) == "berth-askpass" && rest[0] != "git-askpass" {
			t.Errorf("%v is %v", tt.args, rest)
		}
	}
}
