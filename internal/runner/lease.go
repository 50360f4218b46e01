package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/plugin"
	"github.com/berthdev/berth/internal/terraform"
	"github.com/berthdev/berth/internal/warm"
)

// leaseWait is how long a keeper waits for warm plugins before it starts its own.
const leaseWait = 15 * time.Second

// lease is what a keeper has of its runner's warm plugins.
type lease struct {
	warm.Lease
	conn net.Conn // to the runner
	o    terraform.Options
	dir  string // of all sets
}

// warmUp gives o plugins that serve already where that is safe and there are any.
// Whatever keeps it from that costs the build the time to start its own.
func (k *keeper) warmUp(o *terraform.Options) {
	if !k.order.Warm {
		return
	}
	l, err := k.takeLease(*o)
	if err != nil {
		k.Log(berth.Log{Level: "debug", Stage: "init", Source: "berth", Text: "Plugins are started for this build alone: " + errorText(err) + "."})
		return
	}
	if l != nil {
		k.lease.Store(l)
		*o = l.o
	}
}

// takeLease gives nil where there is nothing that could stay warm.
func (k *keeper) takeLease(o terraform.Options) (_ *lease, err error) {
	why, err := terraform.Cold(o.Installation, o.Engine.Tofu)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return nil, errors.New(why)
	}
	ask, err := k.leaseRequest(o.Installation)
	if err != nil || len(ask.Plugins) == 0 {
		return nil, err
	}
	l := &lease{o: o, dir: filepath.Join(filepath.Dir(filepath.Dir(k.order.Work)), "warm")}
	defer func() {
		if err != nil {
			l.giveBack(false)
		}
	}()
	// The working directory is the record, two steps below the runner's own: a
	// full path may be longer than a socket's may be.
	if l.conn, err = net.Dial("unix", filepath.Join("..", "..", fileWarm)); err != nil {
		return nil, err
	}
	l.conn.SetDeadline(time.Now().Add(leaseWait))
	if err := json.NewEncoder(l.conn).Encode(ask); err != nil {
		return nil, err
	}
	var a leaseAnswer
	if err := json.NewDecoder(l.conn).Decode(&a); err != nil {
		return nil, err
	}
	if a.Error != "" {
		return nil, errors.New(a.Error)
	}
	l.conn.SetDeadline(time.Time{})
	l.Lease, l.o.Plugins, l.o.Seat = a.Lease, a.Lease.Plugins, a.Lease.Seat
	return l, nil
}

// leaseRequest is what a build of an installation needs: plugins that do not read
// their answers from the environment, as the coder plugin does.
func (k *keeper) leaseRequest(i terraform.Installation) (ask leaseRequest, err error) {
	j := k.order.Job
	variables, err := json.Marshal(j.Variables)
	if err != nil {
		return ask, err
	}
	sum := sha256.Sum256(variables)
	ask = leaseRequest{Build: k.rec.name(), Key: warm.Key{
		Organization: j.Organization, Template: j.Env["CODER_WORKSPACE_TEMPLATE_ID"], Installation: i.Dir, Configuration: hex.EncodeToString(sum[:]),
	}}
	binaries, err := i.Binaries()
	if err != nil {
		return ask, err
	}
	for _, b := range binaries {
		if !strings.HasSuffix(b.Source, "/coder/coder") {
			ask.Plugins = append(ask.Plugins, warm.Plugin(b))
		}
	}
	return ask, nil
}

// giveBack ends the lease; well says that the build came to a good end. A runner
// that is gone cannot end its plugins, so that is done here.
func (l *lease) giveBack(well bool) {
	if l == nil {
		return
	}
	if l.conn == nil {
		return
	}
	defer l.conn.Close()
	if well && l.Seat != "" {
		well = l.o.LeaveSeat() == nil
	}
	l.conn.SetDeadline(time.Now().Add(leaseWait))
	err := json.NewEncoder(l.conn).Encode(leaseEnd{Well: well})
	if err == nil {
		if _, err = l.conn.Read(make([]byte, 1)); err == io.EOF {
			return // it is done
		}
	}
	if l.Set != "" {
		warm.End(l.dir, l.Set, plugin.EndWarm, slog.New(slog.DiscardHandler))
	}
}
