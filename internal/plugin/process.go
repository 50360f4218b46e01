package plugin

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/validation"
)

func processResource() *schema.Resource {
	text := func(s schema.Schema) *schema.Schema { s.Type = schema.TypeString; return &s }
	return &schema.Resource{
		Description:          "A process on the host that goes on after Terraform has ended, until it is destroyed. One that died is started again by the next build.",
		CreateWithoutTimeout: createProcess,
		ReadWithoutTimeout:   readProcess,
		UpdateWithoutTimeout: func(context.Context, *schema.ResourceData, any) diag.Diagnostics { return nil },
		DeleteWithoutTimeout: deleteProcess,
		CustomizeDiff:        planProcess,
		Schema: map[string]*schema.Schema{
			"name": text(schema.Schema{
				Optional: true, ForceNew: true, Default: "main",
				Description:  "Its name among the processes of the workspace.",
				ValidateFunc: validation.StringMatch(pathElement, "use letters, digits, '.', '_' and '-', and begin with a letter or digit"),
			}),
			"command": {
				Type: schema.TypeList, Required: true, ForceNew: true, MinItems: 1,
				Elem:        &schema.Schema{Type: schema.TypeString},
				Description: "The program and its arguments. There is no shell unless it names one.",
			},
			"directory": text(schema.Schema{
				Required: true, ForceNew: true,
				Description: "Where it starts; also its HOME unless env has one.",
			}),
			"env": {
				Type: schema.TypeMap, Optional: true, ForceNew: true, Sensitive: true,
				Elem:        &schema.Schema{Type: schema.TypeString},
				Description: "Its environment, next to PATH, HOME, USER, LOGNAME, SHELL and LANG. Nothing else is handed on.",
			},
			"stop_timeout": {
				Type: schema.TypeInt, Optional: true, Default: 10,
				ValidateFunc: validation.IntBetween(0, 3600),
				Description:  "Seconds that it has to end by itself before it is killed.",
			},
			"pid":     {Type: schema.TypeInt, Computed: true, Description: "Its process id; 0 when it died and left others behind."},
			"started": text(schema.Schema{Computed: true, Description: "When it started, in clock ticks after the boot. Tells it from others that have had its id."}),
			"boot":    text(schema.Schema{Computed: true, Description: "The host's boot that it started in."}),
			"mark":    text(schema.Schema{Computed: true, Description: "BERTH_PROCESS_ID in its environment and in that of everything it starts."}),
			"log":     text(schema.Schema{Computed: true, Description: "Where its output goes. Starts anew with the process and whenever it has grown past 4 MiB at a build."}),
		},
	}
}

// planProcess has a process replaced that died and left others behind: its
// deletion ends them.
func planProcess(ctx context.Context, d *schema.ResourceDiff, meta any) error {
	if err := refuseEarly(ctx, d, meta); err != nil || d.Id() == "" {
		return err
	}
	if d.Get("pid").(int) != 0 {
		return nil
	}
	if err := d.SetNewComputed("pid"); err != nil {
		return err
	}
	return d.ForceNew("pid")
}

func createProcess(ctx context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	h, err := allowedHost()
	if err != nil {
		return diag.FromErr(err)
	}
	c := command{Host: h, Name: d.Get("name").(string), Directory: d.Get("directory").(string)}
	for _, arg := range d.Get("command").([]any) {
		s, _ := arg.(string) // null counts as empty
		c.Args = append(c.Args, s)
	}
	for k, v := range d.Get("env").(map[string]any) {
		c.Env = append(c.Env, k+"="+v.(string))
	}
	p, err := start(ctx, c)
	if err != nil {
		return diag.FromErr(fmt.Errorf("starting the process: %w", err))
	}
	d.SetId(h.workspace + "/" + c.Name)
	return set(d, p)
}

func readProcess(_ context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	p := saved(d)
	trimLog(p.Log)
	switch {
	case p.alive():
	case len(p.marked()) > 0:
		return diag.FromErr(d.Set("pid", 0))
	default:
		d.SetId("")
	}
	return nil
}

func deleteProcess(ctx context.Context, d *schema.ResourceData, _ any) diag.Diagnostics {
	p := saved(d)
	if err := p.end(ctx, time.Duration(d.Get("stop_timeout").(int))*time.Second); err != nil {
		return diag.FromErr(fmt.Errorf("ending the process: %w", err))
	}
	removeLog(p.Log)
	return nil
}

func set(d *schema.ResourceData, p process) diag.Diagnostics {
	for k, v := range map[string]any{"pid": p.PID, "started": p.Started, "boot": p.Boot, "mark": p.Mark, "log": p.Log} {
		if err := d.Set(k, v); err != nil {
			return diag.FromErr(err)
		}
	}
	return nil
}

func saved(d *schema.ResourceData) process {
	return process{
		PID: d.Get("pid").(int), Started: d.Get("started").(string), Boot: d.Get("boot").(string),
		Mark: d.Get("mark").(string), Log: d.Get("log").(string),
	}
}

// command is a process to be started.
type command struct {
	Host      host
	Name      string
	Args      []string
	Directory string
	Env       []string // over the defaults
}

// logPath is where the output of the named process goes: beside the
// workspace's directories, under a name that none of them can have.
func (c command) logPath() string {
	return filepath.Join(c.Host.root, c.Host.workspace, ".log", c.Name)
}

// process is one that was started, as the state keeps it.
type process struct {
	PID     int
	Started string
	Boot    string
	Mark    string
	Log     string
}
