package machines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	googleURL   = "https://www.googleapis.com/oauth2/v3/certs"
	googleLife  = time.Hour // Google keeps keys for days after it stops to use them
	googleKept  = 24 * time.Hour
	googleTime  = 10 * time.Second
	googlePause = 5 * time.Second // after a try that failed: anybody may ask
	googleMost  = 1 << 20
)

// googleKeys are the keys of Google, asked for again from time to time by one try
// at a time. Nobody waits for that who can be answered with the keys of before.
type googleKeys struct {
	ask func(context.Context) (jose.JSONWebKeySet, error)

	mu     sync.Mutex
	set    jose.JSONWebKeySet
	at     time.Time // of set; zero: there is none
	tried  time.Time // when the last try ended that failed, with err
	err    error
	asking chan struct{} // closed when the try that is under way ends; nil: none is
}

func (k *googleKeys) get(ctx context.Context) (jose.JSONWebKeySet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	age := time.Since(k.at)
	if age < googleLife {
		return k.set, nil
	}
	if k.asking == nil && time.Since(k.tried) >= googlePause {
		k.asking = make(chan struct{})
		go k.renew(context.WithoutCancel(ctx), k.asking)
	}
	if age < googleKept {
		return k.set, nil
	}
	if asking := k.asking; asking != nil {
		k.mu.Unlock()
		select {
		case <-asking:
		case <-ctx.Done():
		}
		k.mu.Lock()
	}
	switch {
	case time.Since(k.at) < googleKept:
		return k.set, nil
	case ctx.Err() != nil:
		return k.set, ctx.Err()
	}
	return k.set, k.err
}

// renew is one try.
func (k *googleKeys) renew(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, googleTime)
	defer cancel()
	set, err := k.ask(ctx)
	if err == nil && len(set.Keys) == 0 {
		err = errors.New("the keys of Google: there are none")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.tried, k.err = time.Now(), err
	} else {
		k.set, k.at = set, time.Now()
	}
	k.asking = nil
	close(done)
}

// askGoogle gets the keys from Google.
func askGoogle(ctx context.Context) (set jose.JSONWebKeySet, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, googleURL, nil)
	if err != nil {
		return set, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return set, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return set, fmt.Errorf("the keys of Google: %s", answer.Status)
	}
	err = json.NewDecoder(io.LimitReader(answer.Body, googleMost)).Decode(&set)
	return set, err
}
