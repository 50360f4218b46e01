package main

import "testing"

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
	}
	for _, tt := range tests {
		if got := isCommandLine(tt.args); got != tt.want {
			t.Errorf("%v: %v", tt.args, got)
		}
	}
}
