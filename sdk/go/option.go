package meshapi

import (
	"maps"
	"net/http"
	"strings"
	"time"
)

// Option changes one call. An option that means nothing to a call is refused (ErrConfiguration), not ignored.
type Option struct {
	name  string
	scope scope
	set   func(*options)
}

// scope is the kind of call an option is for.
type scope int

const (
	anyCall scope = iota
	createCall
	waitCall
	downloadCall
)

// options is what a call was told.
type options struct {
	timeout      *time.Duration
	retries      *int
	header       http.Header
	query        query
	key          *string
	maxWait      *time.Duration
	pollInterval *time.Duration
	variant      string
	response     *Response
}

// WithTimeout bounds each attempt of this call, in place of Config.Timeout. Negative: no bound.
func WithTimeout(timeout time.Duration) Option {
	return Option{"WithTimeout", anyCall, func(o *options) { o.timeout = &timeout }}
}

// WithMaxRetries is how often this call is repeated, in place of Config.MaxRetries.
func WithMaxRetries(retries int) Option {
	return Option{"WithMaxRetries", anyCall, func(o *options) { o.retries = &retries }}
}

// WithHeader sends a header to the server, in place of the client's own of that name. Links to files, which may lead
// elsewhere, do not get it.
func WithHeader(name, value string) Option {
	return Option{"WithHeader", anyCall, func(o *options) {
		o.header = maps.Clone(o.header)
		if o.header == nil {
			o.header = http.Header{}
		}
		o.header.Set(name, value)
	}}
}

// WithQuery adds a parameter to the URL, once for each value.
func WithQuery(name string, values ...string) Option {
	return Option{"WithQuery", anyCall, func(o *options) { o.query = o.query.with(name, values...) }}
}

// WithResponse puts the HTTP answer of this call into response: of the attempt that succeeded, else the last that was
// answered. In calls of many requests (Wait, Watch, Iter) it is the latest that was read whole.
func WithResponse(response *Response) Option {
	return Option{"WithResponse", anyCall, func(o *options) { o.response = response }}
}

// WithIdempotencyKey creates under a key of your own (1 to 255 visible ASCII characters): at a server that honours keys,
// the same key finds the task of an earlier call. By default each Generate has a new key for all its attempts.
func WithIdempotencyKey(key string) Option {
	return Option{"WithIdempotencyKey", createCall, func(o *options) { o.key = &key }}
}

// WithMaxWait bounds a wait. The deadline of the context bounds it, too; one of the two is needed.
func WithMaxWait(wait time.Duration) Option {
	return Option{"WithMaxWait", waitCall, func(o *options) { o.maxWait = &wait }}
}

// WithPollInterval is the least time between two looks at a task, where the server can neither stream nor hold its
// answer. Default: 2 seconds; the interval grows to 10.
func WithPollInterval(interval time.Duration) Option {
	return Option{"WithPollInterval", waitCall, func(o *options) { o.pollInterval = &interval }}
}

// WithLastFrame downloads the last frame instead of the video.
func WithLastFrame() Option {
	return Option{"WithLastFrame", downloadCall, func(o *options) { o.variant = "last_frame" }}
}

// readOptions applies the options; those of another scope are refused.
func readOptions(given []Option, allowed scope) (options, error) {
	var read options
	for _, option := range given {
		if option.set == nil {
			continue
		}
		if option.scope != anyCall && option.scope != allowed {
			return options{}, misconfigured("%s means nothing to this call", option.name)
		}
		option.set(&read)
	}
	return read, read.check()
}

// without takes out the options of one scope, for calls made of two.
func without(given []Option, scope scope) []Option {
	var kept []Option
	for _, option := range given {
		if option.scope != scope {
			kept = append(kept, option)
		}
	}
	return kept
}

func (o options) check() error {
	if o.retries != nil && *o.retries < 0 {
		return misconfigured("WithMaxRetries takes a number of at least 0, got %d", *o.retries)
	}
	if o.timeout != nil && *o.timeout == 0 {
		return misconfigured("WithTimeout takes a positive duration, or a negative one for no bound")
	}
	if o.maxWait != nil && *o.maxWait <= 0 {
		return misconfigured("WithMaxWait takes a positive duration, got %s", *o.maxWait)
	}
	if o.pollInterval != nil && *o.pollInterval < minPollInterval {
		return misconfigured("WithPollInterval takes a duration of at least %s, got %s", minPollInterval, *o.pollInterval)
	}
	if o.key != nil && (len(*o.key) == 0 || len(*o.key) > 255 || !isVisibleASCII(*o.key)) {
		return misconfigured("an idempotency key is 1 to 255 visible ASCII characters, got %q", *o.key)
	}
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if o.header.Get(name) != "" {
			return misconfigured("set the idempotency key by WithIdempotencyKey, not by the header %s", name)
		}
	}
	for name, values := range o.header {
		if !isHeaderName(name) {
			return misconfigured("%q is no name of a header", name)
		}
		if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
			return misconfigured("the header %q has a line break", name)
		}
	}
	return nil
}

// isHeaderName tells tokens (RFC 9110 section 5.6.2).
func isHeaderName(name string) bool {
	return name != "" && isVisibleASCII(name) && !strings.ContainsAny(name, `"(),/:;<=>?@[\]{}`)
}
