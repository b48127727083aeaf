package meshapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// maxBody bounds what is read into memory. A page of 200 tasks is some hundred kilobytes.
const maxBody = 64 << 20

// answer is an HTTP answer. The body is empty for an open stream.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) requestID() string { return a.header.Get("X-Request-Id") }

// failure is the lack of an answer.
type failure struct {
	kind  failureKind
	sent  bool // the server may have seen the request
	cause error
}

type failureKind int

const (
	couldNotConnect failureKind = iota
	brokeOff
	timedOut
	wasInterrupted // by the caller's context
)

// outcome is what sending met: an answer or a failure.
type outcome struct {
	answer  *answer
	failure *failure
}

func (o outcome) isSuccess() bool { return o.answer != nil && isSuccess(o.answer.status) }

func isSuccess(status int) bool {
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}

// errNoAnswer ends an attempt whose time is over.
var errNoAnswer = errors.New("no answer in time")

// send sends a request and reads its answer whole.
func (c *connection) send(ctx context.Context, wanted request) outcome {
	opened, met := c.open(ctx, wanted, wanted.timeout)
	if opened == nil {
		return met
	}
	defer opened.close()
	body, err := readBody(opened.body)
	if err != nil {
		return outcome{failure: opened.failed(err)}
	}
	met.answer.body = body
	met.answer.show(wanted.seen)
	return met
}

// Response is an HTTP answer as it came.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// RequestID names the request in the server's logs.
func (r *Response) RequestID() string { return r.Header.Get("X-Request-Id") }

func (a *answer) show(to *Response) {
	if to != nil {
		*to = Response{Status: a.status, Header: a.header, Body: a.body}
	}
}

// stream is an answer whose body is read bit by bit.
type stream struct {
	body     io.ReadCloser
	watchdog *watchdog
	parent   context.Context
}

// read is like io.Reader's. Each silence may last as long as the watchdog's patience; what the caller does between two
// reads may take as long as it likes.
func (s *stream) read(buffer []byte) (int, error) {
	s.watchdog.wake()
	defer s.watchdog.rest()
	return s.body.Read(buffer)
}

func (s *stream) close() {
	s.watchdog.stop()
	_ = s.body.Close()
}

// failed says what an error of read means.
func (s *stream) failed(err error) *failure {
	return classify(s.parent, s.watchdog, true, err)
}

// open sends a request and leaves the body open if the status is 2xx; otherwise it reads and closes it. The answer has
// to come within patience.
func (c *connection) open(ctx context.Context, wanted request, patience time.Duration) (*stream, outcome) {
	started := c.clock.now()
	watchdog := newWatchdog(ctx, patience)
	seen := &traces{}
	response, err := c.deliver(seen.in(watchdog.context), wanted)
	if err != nil {
		met := outcome{failure: classify(ctx, watchdog, seen.maybeSent(err), err)}
		watchdog.stop()
		c.tell(ctx, wanted, met, started)
		return nil, met
	}
	c.service.observe(response.Header)
	met := outcome{answer: &answer{status: response.StatusCode, header: response.Header}}
	opened := &stream{response.Body, watchdog, ctx}
	c.tell(ctx, wanted, met, started)
	if met.isSuccess() {
		return opened, met
	}
	defer opened.close()
	// What a refusal says beyond its status is welcome, but the status counts even if the rest does not arrive.
	met.answer.body, _ = readBody(response.Body)
	met.answer.show(wanted.seen)
	return nil, met
}

func (c *connection) deliver(ctx context.Context, wanted request) (*http.Response, error) {
	outgoing, err := http.NewRequestWithContext(ctx, wanted.method, wanted.url, nil)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Err: err} // there is nowhere to connect to
	}
	if wanted.body != nil {
		outgoing.Body, _ = wanted.bodyReader()
		outgoing.GetBody = wanted.bodyReader
		outgoing.ContentLength = int64(len(wanted.body))
		outgoing.Header.Set("Content-Type", "application/json")
	}
	outgoing.Header.Set("User-Agent", "meshapi-go/"+Version)
	if !wanted.foreign {
		outgoing.Header.Set("Authorization", "Bearer "+c.token)
		outgoing.Header.Set("Accept", "application/json")
		outgoing.Header.Set("X-MeshAPI-SDK", "go/"+Version)
	}
	if wanted.key != "" {
		outgoing.Header[idempotencyHeader] = []string{wanted.key}
	}
	for name, values := range wanted.header {
		outgoing.Header[name] = values
	}
	return c.http.Do(outgoing)
}

// traces is what is known of how far a request got.
type traces struct {
	asked, wrote atomic.Bool
}

func (s *traces) in(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:          func(string) { s.asked.Store(true) },
		WroteHeaderField: func(string, []string) { s.wrote.Store(true) },
		WroteHeaders:     func() { s.wrote.Store(true) },
	})
}

// maybeSent tells whether the server may have seen the request. It did not if the transport looked for a connection and
// wrote nothing. A transport that tells no such things is believed only where the error itself says that it could not
// connect: to take a create that was sent for one that was not would pay twice.
func (s *traces) maybeSent(err error) bool {
	if s.asked.Load() {
		return s.wrote.Load()
	}
	var dialling *net.OpError
	var resolving *net.DNSError
	return !errors.As(err, &resolving) && !(errors.As(err, &dialling) && dialling.Op == "dial")
}

func readBody(body io.Reader) ([]byte, error) {
	read, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err == nil && len(read) > maxBody {
		err = fmt.Errorf("the answer is longer than %d bytes", maxBody)
	}
	return read, err
}

// classify says what an error of the transport means for the request.
func classify(parent context.Context, watchdog *watchdog, sent bool, err error) *failure {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // its text would show the whole URL
	}
	if parent.Err() != nil {
		return &failure{wasInterrupted, sent, parent.Err()}
	}
	if !sent {
		return &failure{couldNotConnect, false, err}
	}
	var network net.Error
	switch {
	case watchdog.barked():
		return &failure{timedOut, true, errNoAnswer}
	case errors.As(err, &network) && network.Timeout():
		return &failure{timedOut, true, err}
	}
	return &failure{brokeOff, true, err}
}

// watchdog ends a context when nothing has happened for as long as its patience lasts.
type watchdog struct {
	context  context.Context
	cancel   context.CancelCauseFunc
	timer    *time.Timer
	patience time.Duration
}

func newWatchdog(parent context.Context, patience time.Duration) *watchdog {
	w := &watchdog{patience: patience}
	w.context, w.cancel = context.WithCancelCause(parent)
	if patience > 0 {
		w.timer = time.AfterFunc(patience, func() { w.cancel(errNoAnswer) })
	}
	return w
}

func (w *watchdog) wake() {
	if w.timer != nil {
		w.timer.Reset(w.patience)
	}
}

func (w *watchdog) rest() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (w *watchdog) barked() bool { return context.Cause(w.context) == errNoAnswer }

func (w *watchdog) stop() {
	w.rest()
	w.cancel(nil)
}
