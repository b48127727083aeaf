package meshapi

import (
	"math"
	"net/http"
	"time"
)

// RetryPolicy says how long is waited between the repetitions of a request: Initial before the first, twice as long
// before each further one, at most Max, never less than the server's Retry-After, and up to a quarter more by chance.
// A repetition that could not begin within Total of the first attempt is not waited for. Zero fields are the defaults.
type RetryPolicy struct {
	Initial time.Duration // default: half a second
	Max     time.Duration // default: 8 seconds
	Total   time.Duration // default: 5 minutes
}

const jitter = 0.25

func (p RetryPolicy) completed() (RetryPolicy, error) {
	for name, field := range map[string]struct {
		value    *time.Duration
		standard time.Duration
	}{
		"Initial": {&p.Initial, 500 * time.Millisecond},
		"Max":     {&p.Max, 8 * time.Second},
		"Total":   {&p.Total, 5 * time.Minute},
	} {
		if *field.value < 0 {
			return p, misconfigured("Retry.%s must be at least 0, got %s", name, *field.value)
		}
		if *field.value == 0 {
			*field.value = field.standard
		}
	}
	return p, nil
}

// wait is the time before the given repetition (from 0), where the server wishes for at least wish.
func (p RetryPolicy) wait(repetition int, wish time.Duration, random float64) time.Duration {
	base := min(float64(p.Initial)*math.Exp2(float64(min(repetition, 40))), float64(p.Max))
	return max(time.Duration(base), wish) + time.Duration(jitter*base*random)
}

// repeatability is what sending a request a second time would mean.
type repeatability int

const (
	// repeatAlways: reading and cancelling, as often as you like.
	repeatAlways repeatability = iota
	// repeatWithKey: a create. Twice is one task only at a server that honours idempotency keys.
	repeatWithKey
	// repeatNever: a delete. The first asks for a cancellation, a second could remove the row.
	repeatNever
)

// isTransient tells whether the same request may meet something else later.
func (o outcome) isTransient() bool {
	if o.failure != nil {
		return o.failure.kind != wasInterrupted
	}
	switch status := o.answer.status; status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented:
		return false
	default:
		return status >= http.StatusInternalServerError
	}
}

// isHarmless tells whether the server certainly did nothing: it saw nothing, or it refused.
func (o outcome) isHarmless() bool {
	if o.failure != nil {
		return !o.failure.sent
	}
	return o.answer.status == http.StatusTooManyRequests || !o.isTransient()
}

// wish is the server's Retry-After, from header or body, whichever is later.
func (o outcome) wish(now time.Time) time.Duration {
	if o.answer == nil {
		return 0
	}
	told, _ := retryAfter(o.answer.header.Get("Retry-After"), now)
	return max(told, retryAfterInBody(o.answer.body))
}
