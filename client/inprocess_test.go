package client_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/berthdev/berth/client"
)

// Bodies go both ways at the same time, without sockets.
func TestInProcessIsFullDuplex(t *testing.T) {
	t.Parallel()
	rt := client.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		buf := make([]byte, 8)
		for {
			n, err := r.Body.Read(buf)
			io.WriteString(w, strings.ToUpper(string(buf[:n])))
			if err != nil {
				return
			}
		}
	}))
	r, w := io.Pipe()
	req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://x/y?z", r)
	res, err := rt.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusAccepted {
		t.Fatal(res, err)
	}
	defer res.Body.Close()
	got := make([]byte, 2)
	for _, s := range []string{"ab", "cd", "ef"} {
		io.WriteString(w, s)
		if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != strings.ToUpper(s) {
			t.Fatalf("%q %v", got, err)
		}
	}
	w.Close()
	if rest, err := io.ReadAll(res.Body); len(rest) != 0 || err != nil {
		t.Errorf("%q %v", rest, err)
	}
}

func TestInProcessHandlerFails(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"before": func(http.ResponseWriter, *http.Request) { panic("ouch") },
		"after":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "par"); panic(http.ErrAbortHandler) },
	} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://x/", nil)
		res, err := client.InProcess(h).RoundTrip(req)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://x/", nil)
	res, err := client.InProcess(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).RoundTrip(req)
	if err != nil || res.StatusCode != 200 {
		t.Errorf("a handler that says nothing: %v %v", res, err)
	}
}
