package notices

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Webhook is a program that is told of every notice, by the headers of the
// Standard Webhooks.
type Webhook struct {
	URL        string
	SecretFile string // one secret a line; all of them sign, so that they can be changed
}

// What a webhook may take to answer.
const webhookTimeout = 10 * time.Second

// caller is the post of the webhook.
type caller struct {
	o      Webhook
	client *http.Client
}

func newCaller(o Webhook) (*caller, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, berth.Errorf(berth.Invalid, "--webhook-url: give where notices are posted to, such as https://chat.example.com/berth")
	}
	c := &caller{o: o, client: &http.Client{
		Timeout:       webhookTimeout,
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	_, err = c.secrets()
	return c, err
}

// fewest bytes of a secret.
const minSecret = 24

// secrets are read again each time, so that they can be changed.
func (c *caller) secrets() ([][]byte, error) {
	if c.o.SecretFile == "" {
		return nil, berth.Errorf(berth.Invalid, "--webhook-url needs --webhook-secret-file: who is called can tell by it that Berth calls. Make one, for example with: openssl rand -hex 32")
	}
	data, err := os.ReadFile(c.o.SecretFile)
	if err != nil {
		return nil, berth.Errorf(berth.Invalid, "--webhook-secret-file cannot be read: %v", err)
	}
	var all [][]byte
	for text := range strings.FieldsSeq(string(data)) {
		secret := []byte(text)
		if encoded, ok := strings.CutPrefix(text, "whsec_"); ok {
			if secret, err = base64.StdEncoding.DecodeString(encoded); err != nil {
				return nil, berth.Errorf(berth.Invalid, "--webhook-secret-file: what follows whsec_ is not base64")
			}
		}
		if len(secret) < minSecret {
			return nil, berth.Errorf(berth.Invalid, "--webhook-secret-file: a secret has at least %d bytes. Make one, for example with: openssl rand -hex 32", minSecret)
		}
		all = append(all, secret)
	}
	if len(all) == 0 {
		return nil, berth.Errorf(berth.Invalid, "--webhook-secret-file is empty. Make a secret, for example with: openssl rand -hex 32")
	}
	return all, nil
}

func (c *caller) open(context.Context) (sending, error) {
	secrets, err := c.secrets()
	if err != nil {
		return nil, errAway{err}
	}
	return &calling{c, secrets}, nil
}

// calling is some calls one after the other.
type calling struct {
	*caller
	keys [][]byte
}

func (c *calling) close() { c.client.CloseIdleConnections() }

// event is what the webhook is sent.
type event struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      eventData `json:"data"`
}

type eventData struct {
	ID          berth.NoticeID    `json:"id"`
	Kind        string            `json:"kind"`
	Title       string            `json:"title"`
	Body        string            `json:"body"`
	Link        string            `json:"link,omitempty"`
	User        eventUser         `json:"user"`
	WorkspaceID berth.WorkspaceID `json:"workspace_id,omitempty"`
	TemplateID  berth.TemplateID  `json:"template_id,omitempty"`
	Data        map[string]string `json:"data"`
}

type eventUser struct {
	ID       berth.UserID `json:"id"`
	Username string       `json:"username"`
	Name     string       `json:"name,omitempty"`
	Email    string       `json:"email"`
}

func (c *calling) send(ctx context.Context, d store.Delivery) error {
	n, u := d.Notice, d.User
	body, err := json.Marshal(event{Type: "notice." + n.Kind, Timestamp: n.CreatedAt, Data: eventData{
		ID: n.ID, Kind: n.Kind, Title: n.Title, Body: n.Body, Link: n.Data["link"], WorkspaceID: n.WorkspaceID, TemplateID: n.TemplateID, Data: n.Data,
		User: eventUser{u.ID, u.Username, u.Name, u.Email},
	}})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "berth")
	r.Header.Set("Webhook-Id", string(n.ID))
	r.Header.Set("Webhook-Timestamp", at)
	r.Header.Set("Webhook-Signature", sign(c.keys, string(n.ID), at, body))
	answer, err := c.client.Do(r)
	if err != nil {
		var wrapped *url.Error // its words hold the URL, which may hold a secret
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return errAway{fmt.Errorf("the webhook: %w", err)}
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, 4096) // so that the connection can be used again
	switch {
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode/100 == 3:
		return fmt.Errorf("the webhook answered %d, a redirect, which is not followed: give the address that it leads to as --webhook-url", answer.StatusCode)
	}
	return fmt.Errorf("the webhook answered %d", answer.StatusCode)
}

// sign is a signature by each of the keys.
func sign(keys [][]byte, id, at string, body []byte) string {
	all := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.", id, at)
		mac.Write(body)
		all[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(all, " ")
}
