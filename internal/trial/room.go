package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/cli"
	"github.com/berthdev/berth/internal/server"
)

// settings are those of the private server that people may need.
type settings struct {
	listen, accessURL, terraform, buildUser string
	mirrors, modules                        []string
	variables                               []string
	verbose                                 bool
}

func (s *settings) bind(f *pflag.FlagSet) {
	f.StringArrayVar(&s.variables, "variable", nil, "a Terraform variable, as `name=value`; may be repeated")
	f.StringVar(&s.terraform, "terraform", os.Getenv("BERTH_TERRAFORM"), "`path` of terraform or tofu (default the one on PATH)")
	f.StringArrayVar(&s.mirrors, "plugin-mirror", filepath.SplitList(os.Getenv("BERTH_PLUGIN_MIRROR")), "`directory` of more Terraform plugins; may be repeated")
	f.StringArrayVar(&s.modules, "module-mirror", filepath.SplitList(os.Getenv("BERTH_MODULE_MIRROR")), "`directory` or address that modules come from; may be repeated")
	f.StringVar(&s.buildUser, "build-user", os.Getenv("BERTH_BUILD_USER"), "`user` that runs Terraform when you are root (default nobody)")
	f.BoolVar(&s.verbose, "verbose", false, "show what Terraform says")
}

// answers reads name=value pairs.
func answers(flag string, given []string) (map[string]string, error) {
	all := map[string]string{}
	for _, text := range given {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, berth.Errorf(berth.Invalid, "%s %s: write it as name=value", flag, text)
		}
		all[name] = value
	}
	return all, nil
}

// room is a server for one trial.
type room struct {
	*client.Client
	dir    string
	server *server.Server
	log    io.Writer // what builds say
}

// password is of the only user of a room, whom nobody else can be.
func password() string { return string(berth.NewID[room]()) }

func open(ctx context.Context, s settings, notes io.Writer) (_ *room, err error) {
	if s.listen == "" {
		s.listen = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", s.listen)
	if err != nil {
		return nil, berth.Errorf(berth.Invalid, "--listen %s: %v", s.listen, err)
	}
	r := &room{log: io.Discard}
	if s.verbose {
		r.log = notes
	}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.dir, err = os.MkdirTemp("", "berth-trial-"); err != nil {
		return nil, fmt.Errorf("making a directory for the trial: %w", err)
	}
	if err := os.Chmod(r.dir, 0o711); err != nil { // builds may run as another user
		return nil, fmt.Errorf("making a directory for the trial: %w", err)
	}
	logs := slog.New(slog.DiscardHandler)
	if s.verbose {
		logs = slog.New(slog.NewTextHandler(notes, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	r.server, err = server.Start(ctx, server.Options{
		Data: filepath.Join(r.dir, "data"), Listener: l, AccessURL: s.accessURL, AppsListen: "off", BuildUser: s.buildUser,
		Terraform: s.terraform, PluginMirror: s.mirrors, ModuleMirror: s.modules, Log: logs,
	})
	if err != nil {
		return nil, err
	}
	here := "http://" + l.Addr().String()
	if host, port, err := net.SplitHostPort(l.Addr().String()); err == nil && net.ParseIP(host).IsUnspecified() {
		here = "http://127.0.0.1:" + port
	}
	nobody, err := client.New(here, "")
	if err != nil {
		return nil, err
	}
	defer nobody.Close()
	secret := password()
	if _, err := nobody.CreateFirstUser(ctx, api.FirstUser{Username: "author", Email: "author@example.com", Password: secret}); err != nil {
		return nil, err
	}
	in, err := nobody.Login(ctx, api.Login{Username: "author", Password: secret})
	if err != nil {
		return nil, err
	}
	r.Client, err = client.New(here, in.Token)
	return r, err
}

// closing is how long a room may take to be cleared.
const closing = 20 * time.Second

func (r *room) close() {
	if r.Client != nil {
		r.Client.Close()
	}
	if r.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closing)
		defer cancel()
		_ = r.server.Stop(ctx)
	}
	if r.dir != "" {
		_ = filepath.WalkDir(r.dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				_ = os.Chmod(path, 0o700) // installations are read-only
			}
			return nil
		})
		_ = os.RemoveAll(r.dir)
	}
}

// failed is the end of a build that did not succeed.
type failed struct{ api.Build }

func (f failed) Error() string {
	if f.Build.Error != "" {
		return f.Build.Error
	}
	return "the build ended as " + f.Status
}

// wait follows a build to its end. One that did not succeed is a failed.
func (r *room) wait(ctx context.Context, id string) (b api.Build, err error) {
	for e, err := range r.WatchBuild(ctx, id, 0) {
		switch {
		case err != nil:
			return b, err
		case e.Log != nil:
			fmt.Fprintf(r.log, "%s\n", e.Log.Text)
		case e.Build != nil:
			b = *e.Build
			if b.CompletedAt == nil && b.Waits != "" {
				fmt.Fprintf(r.log, "waiting: %s\n", b.Waits)
			}
		}
	}
	if b.Status != string(berth.BuildSucceeded) {
		return b, failed{b}
	}
	return b, nil
}

// template is the name of the template in its room.
const template = "template"

// imported pushes a directory and gives the version that came of it.
func (r *room) imported(ctx context.Context, dir string, variables map[string]string) (api.TemplateVersion, error) {
	packed, err := cli.Pack(dir)
	if err != nil {
		return api.TemplateVersion{}, err
	}
	archive, err := r.UploadArchive(ctx, bytes.NewReader(packed))
	if err != nil {
		return api.TemplateVersion{}, err
	}
	v, err := r.PushVersion(ctx, berth.DefaultOrganization, template, api.PushVersion{Archive: archive.Hash, Variables: variables, Activate: true})
	if err != nil {
		return v, err
	}
	if _, err := r.wait(ctx, v.BuildID); err != nil {
		return v, err
	}
	return r.TemplateVersion(ctx, berth.DefaultOrganization, template, v.Name)
}

// problem is the text of an error, for a report.
func problem(err error) string {
	var e *berth.Error
	if errors.As(err, &e) && e.Message != "" {
		return e.Message
	}
	return err.Error()
}
