package tunnel

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A connection that is cut in the middle of a frame gives no byte that the other
// side has not written: a stream that goes on elsewhere would keep it.
func TestWhatIsCutOnTheWireIsNotRead(t *testing.T) {
	t.Parallel()
	got := make(chan []byte, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := accept(w, r)
		if err != nil {
			t.Error(err)
			close(got)
			return
		}
		b, err := io.ReadAll(c)
		if err == nil {
			t.Error("a frame that was cut ended well")
		}
		c.Close()
		got <- b
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n")
	mask := [4]byte{1, 2, 3, 4}
	frame := func(length int, payload string) []byte {
		b := append([]byte{0x82, 0x80 | byte(length)}, mask[:]...)
		for i := range len(payload) {
			b = append(b, payload[i]^mask[i%4])
		}
		return b
	}
	conn.Write(frame(5, "whole"))
	conn.Write(frame(100, "a part of"))
	conn.(*net.TCPConn).CloseWrite()
	defer conn.Close()
	if b := <-got; !bytes.Equal(b, []byte("whole")) {
		t.Errorf("read %q", b)
	}
}
