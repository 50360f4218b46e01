package cli

import (
	"reflect"
	"testing"
)

func TestParseForwards(t *testing.T) {
	t.Parallel()
	tcp := func(listen string, port int) portMap { return portMap{"tcp", listen, port} }
	for text, want := range map[string][]portMap{
		"8080":                {tcp("127.0.0.1:8080", 8080)},
		"8080:80":             {tcp("127.0.0.1:8080", 80)},
		"8080:80,53":          {tcp("127.0.0.1:8080", 80), tcp("127.0.0.1:53", 53)},
		"9000-9002":           {tcp("127.0.0.1:9000", 9000), tcp("127.0.0.1:9001", 9001), tcp("127.0.0.1:9002", 9002)},
		"9000-9001:8000-8001": {tcp("127.0.0.1:9000", 8000), tcp("127.0.0.1:9001", 8001)},
		"0.0.0.0:1234:5678":   {tcp("0.0.0.0:1234", 5678)},
		"[::1]:1234:5678":     {tcp("[::1]:1234", 5678)},
		"[::1]:1234":          {tcp("[::1]:1234", 1234)},
		"localhost:1:2":       {tcp("127.0.0.1:1", 2)},
		"0:80":                {tcp("127.0.0.1:0", 80)},
	} {
		got, err := parsePorts("tcp", []string{text})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "0", "65536", "-1", "80:", ":80", "80:0", "9-8", "1-2:3", "1-3:5-6", "1-70000", "host.example:1:2", "[::1:1:2", "1:2:3:4", "08080", "+1", "0-5:1-6", "80 80"} {
		if got, err := parsePorts("tcp", []string{text}); err == nil {
			t.Errorf("%q was taken as %v", text, got)
		}
	}
	if _, err := parsePorts("tcp", []string{"1-1001"}); err == nil {
		t.Error("too many ports were taken")
	}
}
