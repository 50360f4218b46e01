package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/client"
)

// login is what is kept of a sign-in, in the file login.json of the
// configuration directory, which only its owner can read.
type login struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

// configDir is where the login is kept, as an absolute path.
func (a *app) configDir() (string, error) {
	dir := first(a.flagDir, os.Getenv("BERTH_CONFIG_DIR"))
	if dir == "" {
		user, err := os.UserConfigDir()
		if err != nil {
			return "", berth.Errorf(berth.Invalid, "there is no home directory to keep the login in: give one with --config-dir")
		}
		dir = filepath.Join(user, "berth")
	}
	return filepath.Abs(dir)
}

func (a *app) readLogin() (login, error) {
	var l login
	dir, err := a.configDir()
	if err != nil {
		return l, err
	}
	name := filepath.Join(dir, "login.json")
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, fmt.Errorf("reading the login: %w", err)
	}
	if err := json.Unmarshal(b, &l); err != nil {
		return login{}, berth.Errorf(berth.Unauthenticated, "%s is damaged; sign in again: berth login URL", name)
	}
	return l, nil
}

func (a *app) writeLogin(l login) error {
	dir, err := a.configDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keeping the login: %w", err)
	}
	b, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, "login.json"), append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("keeping the login: %w", err)
	}
	return nil
}

func (a *app) forgetLogin() error {
	dir, err := a.configDir()
	if err != nil {
		return err
	}
	err = os.Remove(filepath.Join(dir, "login.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting the login: %w", err)
	}
	return nil
}

// who is the server and the token that a command works with. A token that was
// kept for one server, or given with it in the environment, is never sent to
// another.
func (a *app) who() (login, error) {
	kept, err := a.readLogin()
	if err != nil {
		return kept, err
	}
	given := fromEnv()
	l := login{URL: serverURL(first(a.flagURL, given.URL, kept.URL)), Token: a.flagToken}
	if l.URL == "" {
		return l, berth.Errorf(berth.Unauthenticated, "not signed in to any server: berth login URL")
	}
	if l.Token == "" && (given.URL == "" || l.URL == serverURL(given.URL)) {
		l.Token = given.Token
	}
	if l.Token == "" && l.URL == kept.URL {
		l.Token = kept.Token
	}
	return l, nil
}

// fromEnv is the login that the environment gives. The names with CODER count in
// a workspace alone: elsewhere they belong to another program.
func fromEnv() login {
	l := login{URL: os.Getenv("BERTH_URL"), Token: os.Getenv("BERTH_TOKEN")}
	if os.Getenv("BERTH") == "true" {
		l = login{URL: first(l.URL, os.Getenv("CODER_URL")), Token: first(l.Token, os.Getenv("CODER_SESSION_TOKEN"))}
	}
	return l
}

// client calls the server of who with its token.
func (a *app) client(opts ...client.Option) (*client.Client, error) {
	l, err := a.who()
	if err != nil {
		return nil, err
	}
	if l.Token == "" {
		return nil, berth.Errorf(berth.Unauthenticated, "not signed in to %s: berth login %s", l.URL, l.URL)
	}
	return a.dial(l, opts...)
}

func (a *app) dial(l login, opts ...client.Option) (*client.Client, error) {
	return client.New(l.URL, l.Token, append([]client.Option{client.WithProgram("berth", berth.Release)}, opts...)...)
}

// serverURL completes an address that a person typed: https, but for this machine.
func serverURL(s string) string {
	s = strings.TrimRight(strings.TrimSpace(s), "/")
	if s == "" || strings.Contains(s, "://") {
		return s
	}
	scheme := "https://"
	if u, err := url.Parse("//" + s); err == nil {
		if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
			scheme = "http://"
		}
	}
	return scheme + s
}

// writeFile replaces a file as a whole: a reader, and the disk after a crash,
// has the old content or the new one.
func writeFile(name string, content []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// first is the first of s that is not empty.
func first(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}
