package inside

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// externalAuth joins the external-auth of the command line.
func externalAuth() *cobra.Command {
	cmd := &cobra.Command{Use: "external-auth", Short: "Your sign-ins to external services", Args: cobra.ArbitraryArgs, RunE: onlyBelow}
	cmd.AddCommand(accessToken())
	return cmd
}

func accessToken() *cobra.Command {
	var extra string
	cmd := &cobra.Command{
		Use:   "access-token ID",
		Short: "Print a token of your external sign-in",
		Long: `Print an access token of your sign-in to an external service, as new as it has
to be. Where you are not signed in, the address to do that at is printed
instead, and the exit status is 1.`,
		Example: "  curl -H \"Authorization: Bearer $(coder external-auth access-token github)\" https://api.github.com/user\n" +
			"  coder external-auth access-token slack --extra authed_user.id",
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return printToken(cmd.Context(), args[0], extra, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&extra, "extra", "", "print this of what else the service answered: `names` and numbers with dots between")
	return cmd
}

func printToken(ctx context.Context, id, extra string, out io.Writer) error {
	var t api.LocalToken
	if err := ask(ctx, http.MethodGet, "/external-auth/"+url.PathEscape(id), nil, &t); err != nil {
		return err
	}
	if t.Token == "" {
		fmt.Fprintln(out, t.SignIn)
		return exit(1)
	}
	if extra == "" {
		_, err := fmt.Fprintln(out, t.Token)
		return err
	}
	v, ok := pick(t.Extra, extra)
	if !ok {
		return berth.Errorf(berth.NotFound, "%s did not answer with %q", first(t.Name, id), extra)
	}
	if text, ok := v.(string); ok {
		_, err := fmt.Fprintln(out, text)
		return err
	}
	return json.NewEncoder(out).Encode(v)
}

// pick finds what path names in v: names of fields, and numbers of a list's
// elements, with dots between. $. in front is as good as nothing.
func pick(v any, path string) (any, bool) {
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "$."), ".") {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[part]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(in) {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}
