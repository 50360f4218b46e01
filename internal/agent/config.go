package agent

import (
	"cmp"
	"log/slog"
	"os"
	"strings"

	"github.com/berthdev/berth"
)

// Config is what an agent needs to know before it has spoken to the server.
type Config struct {
	URL     string   // of the server, as the workspace reaches it
	Token   string   // proves which agent this is
	Auth    string   // how it gets its token where it has none: by a document of the cloud that it runs in
	Version string   // of this binary
	LogDir  string   // where relative log_path of scripts go; empty: the temporary directory
	DataDir string   // holds links and data of scripts; empty: one is made in the temporary directory
	Env     []string // of the agent's process, for sessions and scripts; nil: this process's own
	Log     *slog.Logger
}

// ConfigFromEnv reads the configuration that the init script and the template
// give: BERTH_AGENT_URL and BERTH_AGENT_TOKEN, their CODER_ twins, or
// BERTH_AGENT_TOKEN_FILE.
func ConfigFromEnv() (Config, error) {
	c := Config{
		URL:     cmp.Or(os.Getenv("BERTH_AGENT_URL"), os.Getenv("CODER_AGENT_URL")),
		Token:   cmp.Or(os.Getenv("BERTH_AGENT_TOKEN"), os.Getenv("CODER_AGENT_TOKEN")),
		LogDir:  os.Getenv("BERTH_AGENT_LOG_DIR"),
		DataDir: os.Getenv("BERTH_AGENT_DATA_DIR"),
		Auth:    cmp.Or(os.Getenv("BERTH_AGENT_AUTH"), os.Getenv("CODER_AGENT_AUTH")),
		Version: berth.Release,
	}
	if path := cmp.Or(os.Getenv("BERTH_AGENT_TOKEN_FILE"), os.Getenv("CODER_AGENT_TOKEN_FILE")); c.Token == "" && path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return c, berth.Errorf(berth.Invalid, "cannot read the agent's token: %v", err)
		}
		c.Token = strings.TrimSpace(string(text))
	}
	return c, c.check()
}

func (c Config) check() error {
	if c.URL == "" {
		return berth.Errorf(berth.Invalid, "the agent does not know its server: set CODER_AGENT_URL, as the init script of the template's coder_agent does")
	}
	switch c.Auth {
	case "", "token":
	case "aws-instance-identity", "azure-instance-identity", "google-instance-identity":
		return nil
	default:
		return berth.Errorf(berth.Invalid, "the agent does not know how to prove itself by CODER_AGENT_AUTH=%s", c.Auth)
	}
	if c.Token == "" {
		return berth.Errorf(berth.Invalid, "the agent has no token: give its container or machine CODER_AGENT_TOKEN = coder_agent.NAME.token in the template")
	}
	return nil
}
