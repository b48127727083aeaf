package meshapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

type pollGiven struct {
	Plan struct {
		MaxWait      float64 `json:"max_wait"`
		PollInterval float64 `json:"poll_interval"`
	} `json:"plan"`
	Knows    knowledge     `json:"knows"`
	Random   float64       `json:"random"`
	Outcomes []pollOutcome `json:"outcomes"`
}

type knowledge struct {
	Events   bool `json:"events"`
	LongPoll bool `json:"long_poll"`
}

type pollOutcome struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Task    json.RawMessage   `json:"task"`
	Failure string            `json:"failure"`
	Stream  []pollPiece       `json:"stream"`
	Ends    string            `json:"ends"`
	Took    float64           `json:"took"`
}

type pollPiece struct {
	Event   json.RawMessage `json:"event"`
	ID      string          `json:"id"`
	Comment *string         `json:"comment"`
	Text    string          `json:"text"`
	Took    float64         `json:"took"`
}

type pollWant struct {
	Steps   []map[string]any `json:"steps"`
	Told    []string         `json:"told"`
	Result  any              `json:"result"`
	Elapsed float64          `json:"elapsed"`
	Learnt  knowledge        `json:"learnt"`
}

// pollScript is a transport and a clock that play a case and note the steps. No time passes outside.
type pollScript struct {
	outcomes []pollOutcome
	steps    []map[string]any
	now      time.Time
	random   float64
}

func (s *pollScript) RoundTrip(request *http.Request) (*http.Response, error) {
	if strings.HasSuffix(request.URL.Path, "/events") {
		s.steps = append(s.steps, map[string]any{"stream": orNull(request.Header.Get("Last-Event-ID"))})
	} else {
		held, _ := strconv.Atoi(request.URL.Query().Get("wait"))
		s.steps = append(s.steps, map[string]any{"look": held})
	}
	if len(s.outcomes) == 0 {
		return nil, errors.New("asked more often than the case has outcomes")
	}
	met := s.outcomes[0]
	s.outcomes = s.outcomes[1:]
	if met.Stream == nil {
		s.now = s.now.Add(seconds(met.Took))
	}
	if met.Failure != "" {
		trace := httptrace.ContextClientTrace(request.Context())
		trace.GetConn("server.example:80")
		if met.Failure == "not_sent" {
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}
		trace.WroteHeaders()
		return nil, streamFailure(met.Failure)
	}
	response := respond(met.Status, met.Headers, met.Body+string(met.Task))
	if met.Stream != nil {
		response.Body = &pollStream{s, met.Stream, met}
	}
	return response, nil
}

// streamFailure is how a transport tells of a connection that failed after the request was sent.
func streamFailure(kind string) error {
	if kind == "timed_out" {
		return os.ErrDeadlineExceeded
	}
	return io.ErrUnexpectedEOF
}

// pollStream is a body of pieces; time passes before each.
type pollStream struct {
	script *pollScript
	pieces []pollPiece
	met    pollOutcome
}

func (s *pollStream) Read(buffer []byte) (int, error) {
	if len(s.pieces) == 0 {
		s.script.now = s.script.now.Add(seconds(s.met.Took))
		if s.met.Ends == "end" {
			return 0, io.EOF
		}
		return 0, streamFailure(s.met.Ends)
	}
	piece := s.pieces[0]
	s.pieces = s.pieces[1:]
	s.script.now = s.script.now.Add(seconds(piece.Took))
	text := piece.Text
	switch {
	case piece.Event != nil:
		text = fmt.Sprintf("id: %s\nevent: task\ndata: %s\n\n", piece.ID, strings.ReplaceAll(string(piece.Event), "\n", ""))
	case piece.Comment != nil:
		text = fmt.Sprintf(": %s\n\n", *piece.Comment)
	}
	if len(text) > len(buffer) {
		return 0, errors.New("the piece is longer than the buffer")
	}
	return copy(buffer, text), nil
}

func (s *pollStream) Close() error { return nil }

func TestPollingSchedule(t *testing.T) {
	runSuite(t, "polling-schedule", func(t *testing.T, given pollGiven, want pollWant) {
		begun := time.Now() // the deadline of a context is by the real clock, which hardly moves meanwhile
		play := &pollScript{outcomes: given.Outcomes, now: begun, random: given.Random}
		client := newClient(t, Config{
			BaseURL: "http://server.example", Token: "rsk_test", HTTPClient: &http.Client{Transport: play},
		})
		c := client.Videos.connection
		c.service.lacksEvents.Store(!given.Knows.Events)
		c.service.lacksLongPoll.Store(!given.Knows.LongPoll)
		c.clock = clock{
			now:    func() time.Time { return play.now },
			random: func() float64 { return play.random },
			sleep: func(_ context.Context, wait time.Duration) error {
				play.steps = append(play.steps, map[string]any{"wait": rounded(wait)})
				play.now = play.now.Add(wait)
				return nil
			},
		}
		told := []string{}
		var failed error
		for task, err := range client.Videos.Watch(context.Background(), "t",
			WithMaxWait(seconds(given.Plan.MaxWait)), WithPollInterval(seconds(given.Plan.PollInterval))) {
			if failed = err; err == nil {
				told = append(told, task.Status)
			}
		}
		if !reflect.DeepEqual(normal(t, play.steps), normal(t, want.Steps)) {
			t.Errorf("steps are %v\nwant      %v", play.steps, want.Steps)
		}
		if !reflect.DeepEqual(told, want.Told) {
			t.Errorf("told %v, want %v", told, want.Told)
		}
		if result := normal(t, resultOf(failed)); !reflect.DeepEqual(result, want.Result) {
			t.Errorf("it ended by %v (%v), want %v", result, failed, want.Result)
		}
		if elapsed := rounded(play.now.Sub(begun)); elapsed != want.Elapsed {
			t.Errorf("it took %v s, want %v", elapsed, want.Elapsed)
		}
		learnt := knowledge{!c.service.lacksEvents.Load(), !c.service.lacksLongPoll.Load()}
		if learnt != want.Learnt || len(play.outcomes) > 0 {
			t.Errorf("learnt %v, want %v; %d outcomes were not asked for", learnt, want.Learnt, len(play.outcomes))
		}
	})
}

// rounded is seconds, to the microsecond.
func rounded(wait time.Duration) float64 { return math.Round(wait.Seconds()*1e6) / 1e6 }

// resultOf is the end of a wait in the words of the contract.
func resultOf(failed error) any {
	var late *WaitTimeoutError
	var told *MeshAPIError
	switch {
	case failed == nil:
		return "ended"
	case errors.As(failed, &late):
		return "deadline"
	case errors.As(failed, &told) && told.Status != 0:
		return map[string]any{"status": told.Status}
	}
	return failed.Error()
}
