package meshapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const probeTimeout = 5 * time.Second

// connection is what the services of a client share: where requests go, and how they are repeated.
type connection struct {
	settings
	http    *http.Client
	service *service
	clock   clock
	log     *slog.Logger
	silence time.Duration // how long a stream of events may be silent
	fault   error         // why the configuration cannot work
}

// clock is time and chance, so that tests can do without either.
type clock struct {
	now    func() time.Time
	sleep  func(context.Context, time.Duration) error
	random func() float64
}

func connect(config Config) *connection {
	resolved, fault := resolve(config)
	logger, err := loggerFor(config.Logger)
	client := config.HTTPClient
	if client == nil {
		client = defaultClient()
	}
	return &connection{
		settings: resolved,
		http:     withoutRepostingRedirects(client),
		service:  &service{},
		clock:    clock{now: time.Now, sleep: sleep, random: rand.Float64},
		log:      logger,
		silence:  streamSilence,
		fault:    errors.Join(fault, err),
	}
}

// ready is the connection to use: the one of the environment where there is none, as in the zero Client.
func (c *connection) ready() (*connection, error) {
	if c == nil {
		c = connect(Config{})
	}
	return c, c.fault
}

// defaultClient keeps more idle connections than http.DefaultTransport's two, which make many tasks at once reconnect
// all the time.
var defaultClient = sync.OnceValue(func() *http.Client {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return &http.Client{}
	}
	transport = transport.Clone()
	transport.MaxIdleConns = 1000
	transport.MaxIdleConnsPerHost = 100
	return &http.Client{Transport: transport}
})

// withoutRepostingRedirects follows redirects of reads only, and takes the API key off where they leave the server.
func withoutRepostingRedirects(client *http.Client) *http.Client {
	follow := client.CheckRedirect
	wrapped := *client
	wrapped.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		first := via[0]
		if first.Method != http.MethodGet {
			return http.ErrUseLastResponse
		}
		if next.URL.Host != first.URL.Host || next.URL.Scheme != first.URL.Scheme {
			next.Header.Del("Authorization")
		}
		if follow != nil {
			return follow(next, via)
		}
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}
	return &wrapped
}

// sleep lets time pass, unless the context ends first.
func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// request is a request to the API with the call's options.
func (c *connection) request(method, path string, pairs query, read options) request {
	built := request{
		method:  method,
		url:     c.root + path + append(pairs[:len(pairs):len(pairs)], read.query...).encode(),
		header:  read.header,
		timeout: c.timeout,
		retries: c.retries,
		seen:    read.response,
	}
	if read.timeout != nil {
		built.timeout = max(*read.timeout, 0)
	}
	if read.retries != nil {
		built.retries = *read.retries
	}
	return built
}

// exchange sends until there is a success or no repetition is allowed; then it returns the last error
// (contract: retry-schedule).
func (c *connection) exchange(ctx context.Context, wanted request) (*answer, error) {
	deadline := c.clock.now().Add(c.retry.Total)
	mayExist := false
	attempt := wanted
	for repetition := 0; ; repetition++ {
		met := c.send(ctx, attempt)
		if met.isSuccess() {
			return met.answer, nil
		}
		mayExist = mayExist || (wanted.repeat == repeatWithKey && !met.isHarmless())
		now := c.clock.now()
		wait := c.retry.wait(repetition, met.wish(now), c.clock.random())
		spent := repetition >= wanted.retries || !now.Add(wait).Before(deadline) || endsBefore(ctx, now.Add(wait))
		if spent || !c.mayRepeat(ctx, wanted, met) {
			return nil, met.final(wanted, now, mayExist)
		}
		c.log.Debug("waiting", "seconds", wait.Seconds())
		if err := c.clock.sleep(ctx, wait); err != nil {
			last := met.final(wanted, now, mayExist)
			last.Message = fmt.Sprintf("%s; interrupted while waiting to repeat it: %v", last.Message, err)
			last.cause, last.kind = err, nil
			return nil, last
		}
		attempt.timeout = within(wanted.timeout, deadline.Sub(c.clock.now()))
	}
}

// mayRepeat tells whether sending again can do no harm. For a create it may ask the server what it can.
func (c *connection) mayRepeat(ctx context.Context, wanted request, met outcome) bool {
	switch {
	case !met.isTransient():
		return false
	case wanted.repeat == repeatAlways || met.isHarmless():
		return true
	case wanted.repeat == repeatNever:
		return false
	}
	if !c.service.honoursKeys.Load() {
		c.send(ctx, request{method: http.MethodGet, url: c.root + healthPath, timeout: probeTimeout, foreign: true})
	}
	return c.service.honoursKeys.Load()
}

// endsBefore tells whether the context's deadline leaves no time to wait.
func endsBefore(ctx context.Context, moment time.Time) bool {
	deadline, ok := ctx.Deadline()
	return ok && deadline.Before(moment)
}

// within is a timeout that does not outlast what remains.
func within(timeout, remaining time.Duration) time.Duration {
	if timeout == 0 || timeout > remaining {
		return max(remaining, time.Millisecond)
	}
	return timeout
}

// decode reads the body of a success into value, which must be an object.
func decode(met *answer, value json.Unmarshaler) error {
	if err := value.UnmarshalJSON(met.body); err != nil {
		return undecodable(met, err)
	}
	return nil
}

func undecodable(met *answer, cause error) *MeshAPIError {
	start := bytes.ToValidUTF8(met.body[:min(len(met.body), 80)], []byte("\uFFFD"))
	return &MeshAPIError{
		Status:    met.status,
		Code:      codeUndecodable,
		Message:   fmt.Sprintf("the answer is not what the API sends (%v); it begins %q", cause, start),
		RequestID: met.requestID(),
		cause:     cause,
		kind:      ErrUndecodable,
	}
}
