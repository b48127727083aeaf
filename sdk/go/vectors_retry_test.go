package meshapi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	type given struct {
		Value string `json:"value"`
		Now   int64  `json:"now"`
	}
	type want struct {
		Seconds *float64 `json:"seconds"`
	}
	runSuite(t, "retry-after", func(t *testing.T, given given, want want) {
		wait, ok := retryAfter(given.Value, time.Unix(given.Now, 0))
		if ok != (want.Seconds != nil) {
			t.Fatalf("usable is %v, want %v", ok, want.Seconds != nil)
		}
		if ok && wait.Seconds() != *want.Seconds {
			t.Errorf("got %v s, want %v", wait.Seconds(), *want.Seconds)
		}
	})
}

type retryGiven struct {
	Request struct {
		Method string `json:"method"`
		Repeat string `json:"repeat"`
	} `json:"request"`
	EarlierHeaders map[string]string `json:"earlier_headers"`
	Policy         struct {
		MaxRetries     int     `json:"max_retries"`
		InitialSeconds float64 `json:"initial_seconds"`
		MaxSeconds     float64 `json:"max_seconds"`
		TotalSeconds   float64 `json:"total_seconds"`
	} `json:"policy"`
	Random   float64    `json:"random"`
	Now      int64      `json:"now"`
	Outcomes []scripted `json:"outcomes"`
}

type scripted struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Failure string            `json:"failure"`
	Took    float64           `json:"took"`
}

type retryWant struct {
	Steps  []map[string]any `json:"steps"`
	Result struct {
		Answer int            `json:"answer"`
		Error  map[string]any `json:"error"`
	} `json:"result"`
}

// script is a transport and a clock that play a case and note the steps. No time passes.
type script struct {
	outcomes []scripted
	steps    []map[string]any
	now      time.Time
	random   float64
}

func (s *script) RoundTrip(request *http.Request) (*http.Response, error) {
	step := "request"
	if strings.HasSuffix(request.URL.Path, "/healthz") {
		step = "probe"
	}
	s.steps = append(s.steps, map[string]any{"send": step})
	if len(s.outcomes) == 0 {
		return nil, errors.New("sent more often than the case has outcomes")
	}
	met := s.outcomes[0]
	s.outcomes = s.outcomes[1:]
	s.now = s.now.Add(seconds(met.Took))
	if met.Failure == "" {
		return respond(met.Status, met.Headers, met.Body), nil
	}
	trace := httptrace.ContextClientTrace(request.Context())
	trace.GetConn("server.example:80")
	if met.Failure == "not_sent" {
		return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
	}
	trace.WroteHeaders()
	if met.Failure == "timed_out" {
		return nil, os.ErrDeadlineExceeded
	}
	return nil, io.ErrUnexpectedEOF
}

func (s *script) sleep(_ context.Context, wait time.Duration) error {
	s.steps = append(s.steps, map[string]any{"wait": wait.Seconds()})
	s.now = s.now.Add(wait)
	return nil
}

func (s *script) clock() clock {
	return clock{
		now: func() time.Time { return s.now }, sleep: s.sleep, random: func() float64 { return s.random },
	}
}

func seconds(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }

func respond(status int, header map[string]string, body string) *http.Response {
	response := &http.Response{
		StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
	}
	for name, value := range header {
		response.Header.Set(name, value)
	}
	return response
}

func TestRetrySchedule(t *testing.T) {
	runSuite(t, "retry-schedule", func(t *testing.T, given retryGiven, want retryWant) {
		now := time.Unix(1785585600, 0)
		if given.Now != 0 {
			now = time.Unix(given.Now, 0)
		}
		play := &script{now: now, random: given.Random}
		client := newClient(t, Config{
			BaseURL: "http://server.example", Token: "rsk_test", HTTPClient: &http.Client{Transport: play},
			MaxRetries: Int(given.Policy.MaxRetries),
			Retry: RetryPolicy{
				seconds(given.Policy.InitialSeconds), seconds(given.Policy.MaxSeconds), seconds(given.Policy.TotalSeconds),
			},
		})
		client.Videos.connection.clock = play.clock()
		if given.EarlierHeaders != nil {
			play.outcomes = []scripted{{Status: http.StatusOK, Headers: given.EarlierHeaders, Body: accepted}}
			if _, err := client.Videos.Retrieve(context.Background(), "earlier"); err != nil {
				t.Fatal(err)
			}
			play.steps = nil
		}
		play.outcomes = given.Outcomes
		for index, each := range play.outcomes {
			if each.Status == http.StatusOK {
				play.outcomes[index].Body = accepted
			}
		}
		err := callFor(t, client, given.Request.Method, given.Request.Repeat)
		if !reflect.DeepEqual(normal(t, play.steps), normal(t, want.Steps)) {
			t.Errorf("steps are %v\nwant      %v", play.steps, want.Steps)
		}
		checkResult(t, err, want)
	})
}

// callFor is the call whose repetition means what the case says.
func callFor(t *testing.T, client *Client, method, repeat string) error {
	t.Helper()
	ctx := context.Background()
	switch method + " " + repeat {
	case "GET always":
		_, err := client.Videos.Retrieve(ctx, "t")
		return err
	case "POST with_key":
		_, err := client.Videos.Generate(ctx, VideoGenerationParams{Model: "m/x"})
		return err
	case "DELETE never":
		_, err := client.Videos.Delete(ctx, "t")
		return err
	case "POST always":
		_, err := client.Videos.Cancel(ctx, "t")
		return err
	}
	t.Fatalf("no call is %s %s", method, repeat)
	return nil
}

func checkResult(t *testing.T, err error, want retryWant) {
	t.Helper()
	if want.Result.Error == nil {
		if err != nil || want.Result.Answer != http.StatusOK {
			t.Errorf("got %v, want the answer %d", err, want.Result.Answer)
		}
		return
	}
	var told *MeshAPIError
	if !errors.As(err, &told) {
		t.Fatalf("got %v, want a *MeshAPIError", err)
	}
	for name, wanted := range want.Result.Error {
		var got any
		switch name {
		case "status":
			got = float64(told.Status)
		case "failure":
			got = failureOf(told)
		case "task_may_exist":
			got = told.TaskMayExist
		case "retry_after_seconds":
			got = told.RetryAfter.Seconds()
		}
		if got != wanted {
			t.Errorf("%s is %v, want %v", name, got, wanted)
		}
	}
	if told.TaskMayExist != strings.Contains(err.Error(), "the task may exist") {
		t.Errorf("the message does not say whether the task may exist: %v", err)
	}
}

func failureOf(told *MeshAPIError) string {
	switch {
	case errors.Is(told, ErrTimeout):
		return "timed_out"
	case strings.Contains(told.Message, "cannot connect"):
		return "not_sent"
	case errors.Is(told, ErrConnection):
		return "maybe_sent"
	}
	return told.Code
}
