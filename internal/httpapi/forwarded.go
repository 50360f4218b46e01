package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// Proxies are the networks of the proxies in front whose word counts.
type Proxies []netip.Prefix

// ParseProxies reads addresses and networks with commas between them.
func ParseProxies(text string) (Proxies, error) {
	var all Proxies
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if a, aerr := netip.ParseAddr(part); aerr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, berth.Errorf(berth.Invalid, "--trusted-proxies: %q is no address and no network: give such as 10.0.0.0/8 or 127.0.0.1", part)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

func (p Proxies) trust(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(a) })
}

// remote is the address that a request comes from: of the connection or, where
// that is a trusted proxy's, the last one in X-Forwarded-For that is not. What is
// left of that was said by somebody who is not trusted, and may be made up.
func (p Proxies) remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // within the process
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !p.trust(peer) {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break // nothing, or nonsense: the proxies so far are all that is known
		}
		if peer = a.Unmap(); !p.trust(a) {
			break
		}
	}
	return peer.String()
}
