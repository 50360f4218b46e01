// Package clientfile reads the JSON files in which administrators describe this
// server's clients at OAuth2 services: a list, strictly read, whose errors name
// the place and never a secret. What the fields mean, its callers know.
package clientfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/berthdev/berth"
)

// Entry is one description of a list. Complete fills in defaults and checks; its
// errors name the field. dir is where the file is.
type Entry[T any] interface {
	*T
	Key() string
	Complete(dir string) error
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// Load reads the file that a flag names.
func Load[T any, P Entry[T]](flag, path string) ([]P, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &berth.Error{Code: berth.Invalid, Err: err, Message: fmt.Sprintf("%s %s cannot be read: give a file that this user may read", flag, path)}
	}
	list, err := Parse[T, P](text, filepath.Dir(path))
	if err != nil {
		return nil, berth.Errorf(berth.Invalid, "%s %s: %s", flag, path, berth.ErrorMessage(err))
	}
	return list, nil
}

// Parse reads the text of such a file, which is in dir.
func Parse[T any, P Entry[T]](text []byte, dir string) ([]P, error) {
	var list []P
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, berth.Errorf(berth.Invalid, "it is not a JSON list of sign-ins: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, berth.Errorf(berth.Invalid, "there is something behind the list")
	}
	seen := map[string]bool{}
	for i, p := range list {
		if p == nil {
			return nil, berth.Errorf(berth.Invalid, "[%d] is null: describe a sign-in, or leave it out", i)
		}
		err := p.Complete(dir)
		key := strings.ToLower(p.Key())
		if err == nil && seen[key] {
			err = berth.InvalidField("id", "%q is there twice", p.Key())
		}
		if err != nil {
			return nil, located(i, err)
		}
		seen[key] = true
	}
	return list, nil
}

// located names the place of a wrong field: [0].client_id.
func located(i int, err error) error {
	var e *berth.Error
	if !errors.As(err, &e) {
		return err
	}
	return berth.Errorf(berth.Invalid, "[%d].%s: %s", i, e.Field, e.Message)
}

// CheckID checks an id, which is part of paths; it is none of the words.
func CheckID(id string, words ...string) error {
	for _, w := range words {
		if strings.EqualFold(id, w) {
			return berth.InvalidField("id", "%q has a meaning of its own: choose another id", id)
		}
	}
	if !idForm.MatchString(id) {
		return berth.InvalidField("id", "%q cannot be an id: use letters, digits, hyphens and underscores, at most 64", id)
	}
	return nil
}

// Secret is the client secret: the one that was given, or the content of its
// file, whose name is relative to dir.
func Secret(dir, given, file string) (string, error) {
	switch {
	case given != "" && file != "":
		return "", berth.InvalidField("client_secret_file", "give the secret or its file, not both")
	case given != "":
		return given, nil
	case file == "":
		return "", berth.InvalidField("client_secret", "it is needed, or client_secret_file")
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", &berth.Error{Code: berth.Invalid, Field: "client_secret_file", Err: err, Message: file + " cannot be read by this user"}
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", berth.InvalidField("client_secret_file", "%s is empty", file)
	}
	return secret, nil
}

// CheckURL checks the address of a service, to which secrets go.
func CheckURL(field, value string, allowHTTP bool) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return berth.InvalidField(field, "%q is not an address of a web server", value)
	}
	if u.Scheme == "http" && !Loopback(u.Hostname()) && !allowHTTP {
		return berth.InvalidField(field, "%s is not encrypted, so tokens would be read on their way: use https, or say \"allow_http\": true", value)
	}
	return nil
}

// Loopback tells whether a host is this machine.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// OwnParameters are those of a request to authorize that nobody may set.
var OwnParameters = []string{"state", "redirect_uri", "client_id", "response_type", "code_challenge", "code_challenge_method", "nonce"}

// CheckParameters checks what is added to requests to authorize.
func CheckParameters(given map[string]string) error {
	for _, name := range OwnParameters {
		if _, ok := given[name]; ok {
			return berth.InvalidField("auth_params", "%s is Berth's own", name)
		}
	}
	return nil
}
