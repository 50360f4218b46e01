package inside

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/agent/usage"
)

// sample is how long the processor is watched. Templates give the command a
// second.
const sample = 200 * time.Millisecond

// stat is one run of the command.
type stat struct {
	reader usage.Reader
	host   bool
	path   string // of a volume
	prefix prefix
	output string // text or json
	asJSON bool
}

func statCommand() *cobra.Command {
	s := &stat{reader: usage.New(), prefix: gibi, path: "/"}
	cmd := &cobra.Command{
		Use:   "stat",
		Short: "Show how much of processor, memory and disk is in use",
		Long: `Show how much of processor, memory and disk is in use.

In a container that is the container against its limits; with --host it is the
machine. A processor in use is shown as used/available cores.`,
		Example: "  coder stat cpu\n  coder stat mem --host --prefix Mi\n  coder stat disk --path /home/ana --json",
		Args:    args(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return s.table(cmd.OutOrStdout()) },
	}
	s.outputFlags(cmd)
	cmd.AddCommand(
		s.command("cpu", "Processor in use", s.processor, true, false),
		s.command("mem", "Memory in use", s.memory, true, true),
		s.command("disk", "Space in use on a volume", s.disk, false, true),
	)
	return cmd
}

// command is one of the commands below stat.
func (s *stat) command(name, short string, measure func() (amount, error), host, bytes bool) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: short, Args: args(0, 0)}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		a, err := measure()
		if err != nil {
			return err
		}
		return s.print(cmd.OutOrStdout(), a, a.String())
	}
	s.outputFlags(cmd)
	if host {
		cmd.Flags().BoolVar(&s.host, "host", false, "of the machine, not of the container")
	} else {
		cmd.Flags().StringVar(&s.path, "path", s.path, "a `path` on the volume")
	}
	if bytes {
		cmd.Flags().Var(&s.prefix, "prefix", "unit of the numbers: `Ki|Mi|Gi|Ti`")
	}
	return cmd
}

func (s *stat) outputFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&s.output, "output", "o", "text", "`text|json`")
	cmd.Flags().BoolVar(&s.asJSON, "json", false, "the same as --output json; amounts of memory and disk are in bytes")
}

// print prints what was measured.
func (s *stat) print(out io.Writer, v any, text string) error {
	switch {
	case s.asJSON || s.output == "json":
		return json.NewEncoder(out).Encode(v)
	case s.output == "text" || s.output == "table":
		_, err := fmt.Fprintln(out, text)
		return err
	}
	return berth.Errorf(berth.Invalid, "--output %s: give text or json", s.output)
}

func (s *stat) processor() (amount, error) {
	read := s.reader.Processor
	if s.host {
		read = s.reader.HostProcessor
	}
	return watch(read)
}

// watch measures a processor for a moment.
func watch(read func() (usage.Processor, error)) (amount, error) {
	before, err := read()
	if err != nil {
		return amount{}, unknown("processor", err)
	}
	began := time.Now()
	time.Sleep(sample)
	after, err := read()
	if err != nil {
		return amount{}, unknown("processor", err)
	}
	used := min(after.Since(before, time.Since(began)), after.Cores) // clocks are coarse
	return amount{Used: used, Total: after.Cores, Unit: "cores"}, nil
}

func (s *stat) memory() (amount, error) {
	read := s.reader.Memory
	if s.host {
		read = s.reader.HostMemory
	}
	m, err := read()
	if err != nil {
		return amount{}, unknown("memory", err)
	}
	return amount{Used: float64(m.Used), Total: float64(m.Total), Unit: "B", prefix: s.prefix}, nil
}

func (s *stat) disk() (amount, error) {
	d, err := usage.Volume(s.path)
	if err != nil {
		return amount{}, &berth.Error{Code: berth.Invalid, Err: err, Message: fmt.Sprintf("the volume of %s cannot be read: give --path of a directory that is there", s.path)}
	}
	return amount{Used: float64(d.Used), Total: float64(d.Total), Unit: "B", prefix: s.prefix}, nil
}

// everything is the table of a bare stat; what there is not, is null.
type everything struct {
	HostProcessor *amount `json:"host_cpu"`
	HostMemory    *amount `json:"host_memory"`
	HomeDisk      *amount `json:"home_disk"`
	Processor     *amount `json:"container_cpu"`
	Memory        *amount `json:"container_memory"`
}

func (s *stat) table(out io.Writer) error {
	var all everything
	of := func(host bool, path string) *stat {
		return &stat{reader: s.reader, host: host, path: path, prefix: gibi}
	}
	take := func(into **amount, measure func() (amount, error)) {
		if a, err := measure(); err == nil {
			*into = &a
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/"
	}
	take(&all.HostProcessor, of(true, "").processor)
	take(&all.HostMemory, of(true, "").memory)
	take(&all.HomeDisk, of(true, home).disk)
	if s.reader.Contained() {
		take(&all.Processor, of(false, "").processor)
		take(&all.Memory, of(false, "").memory)
	}
	if s.asJSON || s.output == "json" {
		return s.print(out, []everything{all}, "")
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "HOST CPU\tHOST MEMORY\tHOME DISK\tCONTAINER CPU\tCONTAINER MEMORY")
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", all.HostProcessor, all.HostMemory, all.HomeDisk, all.Processor, all.Memory)
	return w.Flush()
}

func unknown(what string, err error) error {
	return &berth.Error{Code: berth.Unavailable, Err: err, Message: fmt.Sprintf("this computer does not tell how much of its %s is in use: /proc or /sys cannot be read", what)}
}
