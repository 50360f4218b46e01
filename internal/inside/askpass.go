package inside

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// gitAskpass is what git calls for a name and a password (GIT_ASKPASS).
func gitAskpass() *cobra.Command {
	return &cobra.Command{
		Use:   "git-askpass PROMPT",
		Short: "Answer git's question for a password with your external sign-in",
		Long: `Answer git's question for a user name or a password for an https:// repository,
with the token of your external sign-in that is for its host. GIT_ASKPASS in a
workspace names this command, so git calls it by itself.`,
		Example: `  coder git-askpass "Password for 'https://github.com': "`,
		Args:    args(0, 1),
		Hidden:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			prompt := ""
			if len(args) > 0 {
				prompt = args[0]
			}
			return answerGit(cmd.Context(), prompt, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
}

// question is how git asks, in any language: the address is quoted.
var question = regexp.MustCompile(`'(https?://[^']+)'`)

// username is how git asks for a name. Other languages have other words, but
// git asks for the name first and names it in the address afterwards.
var username = regexp.MustCompile(`^(?i:username)\b`)

func answerGit(ctx context.Context, prompt string, out, stderr io.Writer) error {
	found := question.FindStringSubmatch(prompt)
	if found == nil {
		return berth.Errorf(berth.Invalid, "git-askpass does not understand %q: git calls it by itself, for https:// repositories", prompt)
	}
	u, err := url.Parse(found[1])
	if err != nil || u.Host == "" {
		return berth.Errorf(berth.Invalid, "%q is not the address of a repository", found[1])
	}
	asksName := username.MatchString(prompt)
	u.User = nil
	var t api.LocalToken
	if err := ask(ctx, http.MethodGet, "/external-auth?url="+url.QueryEscape(u.String()), nil, &t); err != nil {
		return err
	}
	if t.Token == "" {
		fmt.Fprintf(stderr, "Your sign-in to %s is missing or over. Open this in your browser, and try again:\n\n    %s\n\n", t.Name, t.SignIn)
		return exit(1)
	}
	answer := t.Token
	if asksName {
		answer = first(t.Username, "oauth2")
	}
	_, err = fmt.Fprintln(out, answer)
	return err
}

// first is the first of values that is not empty.
func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
