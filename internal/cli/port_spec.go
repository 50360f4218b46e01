package cli

import (
	"net"
	"strconv"
	"strings"

	"github.com/berthdev/berth"
)

// portMap is one local port that leads to one port of a workspace.
type portMap struct {
	network string // tcp, udp
	listen  string // address and port here; port 0: any free one
	port    int    // there
}

// maxForwards bounds how many ports one command opens.
const maxForwards = 1000

// parsePorts reads what --tcp and --udp say: parts between commas, each
// [ADDRESS:]LOCAL[:REMOTE], where LOCAL and REMOTE are a port or a range.
func parsePorts(network string, given []string) (list []portMap, err error) {
	for _, text := range given {
		for part := range strings.SplitSeq(text, ",") {
			more, err := parsePort(network, strings.TrimSpace(part))
			if err != nil {
				return nil, err
			}
			if list = append(list, more...); len(list) > maxForwards {
				return nil, usagef("--%s: %d ports are too many, at most %d are forwarded at a time", network, len(list), maxForwards)
			}
		}
	}
	return list, nil
}

func parsePort(network, text string) ([]portMap, error) {
	bad := func(why string) error {
		return usagef("--%s %q: %s; give ports like 8080, 8080:80, 9000-9010 or 127.0.0.1:1234:5678", network, text, why)
	}
	address, rest := "127.0.0.1", text
	if strings.HasPrefix(text, "[") {
		end := strings.Index(text, "]:")
		if end < 0 {
			return nil, bad("an address in brackets ends with ]:")
		}
		address, rest = text[1:end], text[end+2:]
	} else if strings.Count(text, ":") == 2 {
		address, rest, _ = strings.Cut(text, ":")
	}
	if address == "localhost" {
		address = "127.0.0.1"
	}
	if net.ParseIP(address) == nil {
		return nil, bad("what is in front of the ports is not an address of this computer")
	}
	local, remote, both := strings.Cut(rest, ":")
	if !both {
		remote = local
	}
	from, n, ok := portRange(local, 0)
	to, m, okay := portRange(remote, 1)
	switch {
	case !ok || !okay || strings.Contains(remote, ":"):
		return nil, bad("a port is a number from 1 to 65535")
	case n != m:
		return nil, bad("both ranges need the same length")
	}
	list := make([]portMap, n)
	for i := range list {
		port := from + i
		if from == 0 {
			port = 0
		}
		list[i] = portMap{network, net.JoinHostPort(address, strconv.Itoa(port)), to + i}
	}
	return list, nil
}

// portRange reads a port or FIRST-LAST: the first and how many.
func portRange(text string, least int) (first, n int, ok bool) {
	low, high, isRange := strings.Cut(text, "-")
	first, err := strconv.Atoi(low)
	if err != nil || first < least || first > 65535 || low != strconv.Itoa(first) {
		return 0, 0, false
	}
	if !isRange {
		return first, 1, true
	}
	last, err := strconv.Atoi(high)
	if err != nil || first < 1 || last < first || berth.ValidatePort("", last) != nil {
		return 0, 0, false
	}
	return first, last - first + 1, true
}
