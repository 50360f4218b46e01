package terraform

import (
	"encoding/json"
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/internal/journal"
)

// reattach is the text for TF_REATTACH_PROVIDERS, by which terraform uses plugins
// that serve already instead of starting its own.
func reattach(plugins []journal.Upstream) (string, error) {
	type address struct{ Network, String string }
	type plugin struct {
		Protocol        string
		ProtocolVersion int
		Pid             int
		Test            bool // terraform is not to end it
		Addr            address
	}
	list := map[string]plugin{}
	for _, up := range plugins {
		pid, err := servedBy(up.Address)
		if err != nil {
			return "", fmt.Errorf("reaching the plugin %s: %w", up.Source, err)
		}
		list[up.Source] = plugin{Protocol: "grpc", ProtocolVersion: up.Protocol, Pid: pid, Test: true, Addr: address{"unix", up.Address}}
	}
	text, err := json.Marshal(list)
	return string(text), err
}

// servedBy is the process that listens on a unix socket. Terraform gives a plugin
// up when it does not find this process alive.
func servedBy(socket string) (int, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var peer *unix.Ucred
	if rawErr := raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); rawErr != nil {
		return 0, rawErr
	}
	if err != nil {
		return 0, err
	}
	return int(peer.Pid), nil
}
