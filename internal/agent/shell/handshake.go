package shell

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/cpu"
)

const serverVersion = "SSH-2.0-Berth"

// offerTime is how long the client's list of ciphers is awaited. Some clients
// send theirs only when they have seen ours.
const offerTime = 500 * time.Millisecond

// In SSH the client's order of ciphers decides, and OpenSSH puts ChaCha20
// first, which Go computes several times slower than AES-GCM on processors
// that have instructions for it. So we look at what the client offers before we
// make our own offer: AES-GCM alone when the client knows it.
//
// greeter is a connection that has been looked into: it has sent our version
// line, and gives the bytes that it read to those who read from it.
type greeter struct {
	net.Conn
	reader *bufio.Reader
	seen   bytes.Reader  // read from the client, to be read again
	offer  chan struct{} // closed when kexInit is known or will not be
	kex    []byte        // the client's first packet, raw
	skip   int           // bytes of our version line that are sent already
	waited bool
}

// greet sends our version line, reads the client's, and waits a moment for the
// client's offer.
func greet(conn net.Conn) (*greeter, error) {
	g := &greeter{Conn: conn, reader: bufio.NewReaderSize(conn, 64<<10), offer: make(chan struct{})}
	line := serverVersion + "\r\n"
	if _, err := io.WriteString(conn, line); err != nil {
		return nil, err
	}
	g.skip = len(line)
	var version []byte
	for len(version) < 255 && !bytes.HasSuffix(version, []byte("\n")) {
		b, err := g.reader.ReadByte()
		if err != nil {
			return nil, err
		}
		version = append(version, b)
	}
	g.seen.Reset(version)
	go func() {
		defer close(g.offer)
		g.kex = readPacket(g.reader)
	}()
	select {
	case <-g.offer:
	case <-time.After(offerTime):
	}
	return g, nil
}

// readPacket reads one unencrypted packet, as far as it comes. What is odd
// about it is left to the SSH library to refuse.
func readPacket(r io.Reader) []byte {
	raw := make([]byte, 4)
	n, err := io.ReadFull(r, raw)
	if err != nil {
		return raw[:n]
	}
	size := binary.BigEndian.Uint32(raw)
	if size > 35000 {
		return raw
	}
	raw = append(raw, make([]byte, size)...)
	n, _ = io.ReadFull(r, raw[4:])
	return raw[:4+n]
}

// ciphers is what we offer to this client; nil: what the library offers.
func (g *greeter) ciphers() []string {
	select {
	case <-g.offer:
	default:
		return nil
	}
	if !fastAES {
		return nil
	}
	both := offered(g.kex)
	for _, c := range []string{ssh.CipherAES128GCM, ssh.CipherAES256GCM} {
		if slices.Contains(both, c) {
			return []string{c}
		}
	}
	return nil
}

var fastAES = cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ || cpu.ARM64.HasAES && cpu.ARM64.HasPMULL

// offered is the ciphers that a raw KEXINIT packet offers for both directions.
func offered(raw []byte) []string {
	if len(raw) < 6 || int(raw[4])+5 > len(raw) {
		return nil
	}
	payload := raw[5 : len(raw)-int(raw[4])]
	var m struct {
		Cookie   [16]byte `sshtype:"20"`
		Kex      []string
		HostKeys []string
		In, Out  []string
		Rest     []byte `ssh:"rest"`
	}
	if err := ssh.Unmarshal(payload, &m); err != nil {
		return nil
	}
	return slices.DeleteFunc(m.In, func(c string) bool { return !slices.Contains(m.Out, c) })
}

// Read gives what was looked at first.
func (g *greeter) Read(p []byte) (int, error) {
	for g.seen.Len() == 0 && !g.waited {
		<-g.offer
		g.seen.Reset(g.kex)
		g.kex, g.waited = nil, true
	}
	if g.seen.Len() > 0 {
		return g.seen.Read(p)
	}
	return g.reader.Read(p)
}

// Write leaves out the version line, which the library sends again.
func (g *greeter) Write(p []byte) (int, error) {
	skip := min(g.skip, len(p))
	g.skip -= skip
	if skip == len(p) {
		return skip, nil
	}
	n, err := g.Conn.Write(p[skip:])
	return skip + n, err
}
