package shell

import (
	"fmt"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// dialTime is how long a forwarded connection may take to be made.
const dialTime = 30 * time.Second

// directTCP serves a connection that the client forwards to a port (-L, -D).
func (c *connection) directTCP(request ssh.NewChannel) {
	var m struct {
		Host       string
		Port       uint32
		Originator string
		FromPort   uint32
	}
	if ssh.Unmarshal(request.ExtraData(), &m) != nil || m.Port > 65535 {
		request.Reject(ssh.ConnectionFailed, "the request cannot be read")
		return
	}
	c.dial(request, "tcp", net.JoinHostPort(m.Host, fmt.Sprint(m.Port)))
}

// directSocket serves a connection that the client forwards to a unix socket.
func (c *connection) directSocket(request ssh.NewChannel) {
	var m struct {
		Path     string
		Reserved string
		Unused   uint32
	}
	if ssh.Unmarshal(request.ExtraData(), &m) != nil {
		request.Reject(ssh.ConnectionFailed, "the request cannot be read")
		return
	}
	c.dial(request, "unix", m.Path)
}

func (c *connection) dial(request ssh.NewChannel, network, address string) {
	dialer := net.Dialer{Timeout: dialTime}
	conn, err := dialer.DialContext(c.alive, network, address)
	if err != nil {
		request.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, err := request.Accept()
	if err != nil {
		conn.Close()
		return
	}
	c.join(channel, requests, conn.(stream), c.opened(KindForward))
}
