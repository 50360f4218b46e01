package ports

import (
	"bufio"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/berthdev/berth"
)

// Serve answers GET /ports with the ports that programs of this computer
// listen on.
func Serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"ports": listening("/proc", os.Getpid())})
}

// listener is one listening socket.
type listener struct {
	address netip.Addr
	port    int
	inode   string
}

// listening lists the TCP ports that are listened on, but those of process
// self and of SSH servers, each once, with the name of the program where this
// user may know it.
func listening(proc string, self int) []berth.Port {
	var all []listener
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		if f, err := os.Open(filepath.Join(proc, name)); err == nil {
			all = append(all, readListeners(f)...)
			f.Close()
		}
	}
	owners := owners(proc, all)
	found := map[int]berth.Port{}
	for _, l := range all {
		o := owners[l.inode]
		if l.port == 22 || o.pid == self || o.name == "sshd" {
			continue
		}
		p := berth.Port{Port: l.port, Address: l.address.String(), Process: o.name}
		if before, ok := found[l.port]; !ok || before.Process == "" || l.address.IsUnspecified() {
			if p.Process == "" {
				p.Process = before.Process
			}
			found[l.port] = p
		}
	}
	list := make([]berth.Port, 0, len(found))
	for _, p := range found {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b berth.Port) int { return cmp.Compare(a.Port, b.Port) })
	return list
}

// readListeners reads the listening sockets of /proc/net/tcp or tcp6. A line
// that it does not understand is skipped.
func readListeners(r io.Reader) (list []listener) {
	const state, listen = 3, "0A"
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 10 || f[state] != listen {
			continue
		}
		host, port, ok := strings.Cut(f[1], ":")
		n, err := strconv.ParseUint(port, 16, 16)
		addr, good := kernelAddress(host)
		if ok && err == nil && good {
			list = append(list, listener{addr, int(n), f[9]})
		}
	}
	return list
}

// kernelAddress reads an address as the kernel prints it: words of four bytes,
// each in the order of this processor (both of ours are little-endian).
func kernelAddress(text string) (netip.Addr, bool) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b)%4 != 0 {
		return netip.Addr{}, false
	}
	for i := 0; i < len(b); i += 4 {
		slices.Reverse(b[i : i+4])
	}
	addr, ok := netip.AddrFromSlice(b)
	return addr.Unmap(), ok
}

type owner struct {
	pid  int
	name string
}

// owners finds the processes behind sockets, as far as this user may look.
func owners(proc string, sockets []listener) map[string]owner {
	wanted, found := map[string]bool{}, map[string]owner{}
	for _, s := range sockets {
		wanted[s.inode] = true
	}
	dirs, _ := filepath.Glob(filepath.Join(proc, "[0-9]*"))
	for _, dir := range dirs {
		if len(found) == len(wanted) {
			break
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		fds, _ := os.ReadDir(filepath.Join(dir, "fd"))
		for _, fd := range fds {
			to, _ := os.Readlink(filepath.Join(dir, "fd", fd.Name()))
			inode, ok := strings.CutPrefix(to, "socket:[")
			inode = strings.TrimSuffix(inode, "]")
			if ok && wanted[inode] && found[inode].pid == 0 {
				name, _ := os.ReadFile(filepath.Join(dir, "comm"))
				found[inode] = owner{pid, strings.TrimSpace(string(name))}
			}
		}
	}
	return found
}
