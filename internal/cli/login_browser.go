package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// byBrowser signs in by a browser in which the person signs in, in whatever way
// the site has, and says that it is them. The code that it shows then is asked
// for here: who only sends somebody the address does not get it.
func (a *app) byBrowser(ctx context.Context, c *client.Client, noBrowser bool) (api.LoggedIn, error) {
	verifier := berth.NewSecret()
	host, _ := os.Hostname() // without one the program alone is named
	asked, err := c.AskLogin(ctx, api.AskLogin{Challenge: berth.Challenge(verifier), Client: "berth on " + first(host, "this computer")})
	if err != nil {
		return api.LoggedIn{}, err
	}
	a.tell("Open this address in your browser, and sign in there:\n\n  %s\n", clean(asked.URL))
	if !noBrowser {
		openBrowser(asked.URL)
	}
	var in api.LoggedIn
	return in, a.askCode(ctx, func(code string) error {
		in, err = c.FinishLogin(ctx, asked.ID, api.FinishLogin{Verifier: verifier, Code: code})
		return err
	})
}

// askCode asks for the code that a browser shows until finish takes it.
func (a *app) askCode(ctx context.Context, finish func(code string) error) error {
	lines := bufio.NewScanner(a.in)
	for {
		fmt.Fprint(a.err, "Code that the browser shows: ")
		if !lines.Scan() {
			fmt.Fprintln(a.err)
			return usagef("no code was given: begin again, and type the code that the browser shows")
		}
		code := strings.TrimSpace(lines.Text())
		if code == "" {
			continue
		}
		err := finish(code)
		if !errors.Is(err, berth.Invalid) || ctx.Err() != nil {
			return err
		}
		a.tell("%s", clean(berth.ErrorMessage(err)))
	}
}
