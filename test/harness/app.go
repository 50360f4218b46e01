package harness

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// OpenApp goes through the doors to an app as a browser of the signed-in person
// does, and gives what the app answers.
func (s *Server) OpenApp(address string) (string, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	browser := http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.AppsAddr) // *.localhost is known to browsers only
		}},
	}
	person, err := client.New(s.URL, strings.TrimSpace(s.Berth("tokens", "create", "browser-"+rand.Text()[:8])))
	if err != nil {
		return "", err
	}
	defer person.Close()
	for range 5 {
		request, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			return "", err
		}
		request.Header.Set("Accept", "text/html")
		request.Header.Set("Sec-Fetch-Mode", "navigate")
		answer, err := browser.Do(request)
		if err != nil {
			return "", err
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusSeeOther {
			if answer.StatusCode != http.StatusOK {
				err = fmt.Errorf("%s: %s", answer.Status, text)
			}
			return string(text), err
		}
		to, err := answer.Location()
		if err != nil {
			return "", err
		}
		address = to.String()
		if !strings.HasPrefix(address, s.URL+"/apps/open?") {
			continue
		}
		asked, err := url.ParseQuery(to.RawQuery)
		if err != nil {
			return "", err
		}
		ticket, err := person.AskTicket(context.Background(), api.AskTicket{To: asked.Get("to"), Nonce: asked.Get("nonce")})
		if err != nil {
			return "", err
		}
		address = ticket.URL
	}
	return "", fmt.Errorf("the app sends in a ring, at last to %s", address)
}
