package machines

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	googleURL  = "https://www.googleapis.com/oauth2/v3/certs"
	googleLife = time.Hour // Google keeps keys for days after it stops to use them
	googleTime = 10 * time.Second
	googleMost = 1 << 20
)

func (k *googleKeys) get(ctx context.Context) (jose.JSONWebKeySet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.at) < googleLife {
		return k.set, nil
	}
	ctx, cancel := context.WithTimeout(ctx, googleTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, googleURL, nil)
	if err != nil {
		return k.set, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return k.set, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return k.set, fmt.Errorf("the keys of Google: %s", answer.Status)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(io.LimitReader(answer.Body, googleMost)).Decode(&set); err != nil {
		return k.set, err
	}
	k.set, k.at = set, time.Now()
	return set, nil
}
