package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// Where clouds tell a machine about itself. BERTH_METADATA_URL is another place.
const (
	metadataURL       = "http://169.254.169.254"
	googleMetadataURL = "http://metadata.google.internal"
	metadataTime      = 10 * time.Second
	metadataMost      = 1 << 20
)

// machineToken is the agent's token, which the server gives for a document of the
// cloud that this machine is in. It tries until there is one: a machine is up
// before the build that made it has ended.
func machineToken(ctx context.Context, c Config) (string, error) {
	pause := time.Second
	for {
		token, err := askByMachine(ctx, c)
		if err == nil {
			return token, nil
		}
		c.log().Warn("this machine has not proved yet whose agent it is; trying again", "auth", c.Auth, "in", pause, "error", berth.ErrorMessage(err))
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the agent was ended before its machine proved whose agent it is: %w", err)
		case <-time.After(pause):
		}
		pause = min(2*pause, 30*time.Second)
	}
}

func (c Config) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

func askByMachine(ctx context.Context, c Config) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	server, err := client.New(c.URL, "")
	if err != nil {
		return "", err
	}
	base := os.Getenv("BERTH_METADATA_URL")
	var got api.AgentSession
	switch c.Auth {
	case "aws-instance-identity":
		var d api.AWSIdentity
		if d, err = awsDocument(ctx, cmp.Or(base, metadataURL)); err == nil {
			got, err = server.AgentByAWS(ctx, d)
		}
	case "azure-instance-identity":
		var d api.AzureIdentity
		if d, err = azureDocument(ctx, cmp.Or(base, metadataURL)); err == nil {
			got, err = server.AgentByAzure(ctx, d)
		}
	case "google-instance-identity":
		var text []byte
		at := cmp.Or(base, googleMetadataURL) + "/computeMetadata/v1/instance/service-accounts/default/identity?format=full&audience=" + url.QueryEscape(strings.TrimRight(c.URL, "/"))
		if text, err = aboutMachine(ctx, http.MethodGet, at, "Metadata-Flavor", "Google"); err == nil {
			got, err = server.AgentByGoogle(ctx, api.GoogleIdentity{Token: strings.TrimSpace(string(text))})
		}
	}
	return got.Token, err
}

func awsDocument(ctx context.Context, base string) (d api.AWSIdentity, err error) {
	session, err := aboutMachine(ctx, http.MethodPut, base+"/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds", "60")
	if err != nil {
		return d, err
	}
	document, err := aboutMachine(ctx, http.MethodGet, base+"/latest/dynamic/instance-identity/document", "X-aws-ec2-metadata-token", string(session))
	if err != nil {
		return d, err
	}
	signature, err := aboutMachine(ctx, http.MethodGet, base+"/latest/dynamic/instance-identity/signature", "X-aws-ec2-metadata-token", string(session))
	return api.AWSIdentity{Document: string(document), Signature: string(signature)}, err
}

func azureDocument(ctx context.Context, base string) (d api.AzureIdentity, err error) {
	text, err := aboutMachine(ctx, http.MethodGet, base+"/metadata/attested/document?api-version=2020-09-01", "Metadata", "true")
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(text, &d)
}

// plainly reaches metadata services: no proxy may come between.
var plainly = &http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}, Timeout: metadataTime}

func aboutMachine(ctx context.Context, method, at, header, value string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, at, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set(header, value)
	answer, err := plainly.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the metadata service of this machine: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the metadata service of this machine answers %s", answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, metadataMost))
}
