package meshapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	running   = `{"id":"t","status":"running","progress":0.5}`
	succeeded = `{"id":"t","status":"succeeded","content":{"video_url":"https://files.example/1.mp4"}}`
)

// taskServer is a real server of one task. Each look at the task, and each stream of its events, has its own handler;
// the last one serves all that follow.
type taskServer struct {
	*httptest.Server
	mutex   sync.Mutex
	looks   []http.HandlerFunc
	streams []http.HandlerFunc
	asked   []string
	resumed []string // the Last-Event-ID of each stream
}

func newTaskServer(t *testing.T) *taskServer {
	t.Helper()
	s := &taskServer{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *taskServer) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	s.mutex.Lock()
	s.asked = append(s.asked, strings.TrimPrefix(request.RequestURI, "/v1/video/generations"))
	queue := &s.looks
	if strings.HasSuffix(request.URL.Path, "/events") {
		queue = &s.streams
		s.resumed = append(s.resumed, request.Header.Get("Last-Event-ID"))
	}
	handler := http.NotFound
	if len(*queue) > 0 {
		handler = (*queue)[0]
	}
	if len(*queue) > 1 {
		*queue = (*queue)[1:]
	}
	s.mutex.Unlock()
	handler(w, request)
}

func (s *taskServer) requests() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.asked)
}

// client waits no longer than milliseconds before it tries again.
func (s *taskServer) client(t *testing.T) *Client {
	t.Helper()
	return newClient(t, Config{BaseURL: s.URL, Token: "rsk_test", Retry: RetryPolicy{Initial: time.Millisecond, Max: time.Millisecond}})
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func breaks(w http.ResponseWriter, _ *http.Request) {
	if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = connection.Close()
	}
}

// tells streams events and ends.
func tells(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, text)
	}
}

// isSilent streams nothing until the client has gone.
func isSilent(w http.ResponseWriter, request *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	<-request.Context().Done()
}

func taskEvent(id int, body string) string {
	return fmt.Sprintf("id: %d\nevent: task\ndata: %s\n\n", id, body)
}

func statuses(t *testing.T, client *Client, opts ...Option) ([]string, error) {
	t.Helper()
	var seen []string
	for task, err := range client.Videos.Watch(testContext(t), "t", append(opts, WithPollInterval(minPollInterval))...) {
		if err != nil {
			return seen, err
		}
		seen = append(seen, task.Status)
	}
	return seen, nil
}

func TestAWatchFollowsTheEventsAndResumesABrokenStream(t *testing.T) {
	server := newTaskServer(t)
	server.streams = []http.HandlerFunc{
		tells(": stream\n\n" + taskEvent(3, running)),
		says(http.StatusServiceUnavailable, ""),
		tells(taskEvent(3, running) + "event: other\ndata: x\n\nevent: task\ndata: {{\n\n" + taskEvent(4, succeeded) + taskEvent(5, running)),
	}
	seen, err := statuses(t, server.client(t))
	if err != nil || !slices.Equal(seen, []string{"running", "succeeded"}) {
		t.Errorf("saw %v, %v", seen, err)
	}
	if !slices.Equal(server.resumed, []string{"", "3", "3"}) || len(server.requests()) != 3 {
		t.Errorf("resumed behind %q with %q", server.resumed, server.requests())
	}
}

func TestAWatchHoldsRequestsOpenWhereThereAreNoEvents(t *testing.T) {
	server := newTaskServer(t)
	client := server.client(t)
	var mutex sync.Mutex
	var held time.Duration
	hold := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			mutex.Lock()
			held += 10 * time.Second
			mutex.Unlock()
			_, _ = io.WriteString(w, body)
		}
	}
	client.Videos.connection.clock.now = func() time.Time {
		mutex.Lock()
		defer mutex.Unlock()
		return time.Now().Add(held)
	}
	client.Videos.connection.clock.sleep = func(context.Context, time.Duration) error {
		t.Error("slept although the server holds its answers")
		return nil
	}
	server.looks = []http.HandlerFunc{hold(running), hold(running), hold(`{"id":"t","status":"running","progress":0.9}`), hold(succeeded)}
	seen, err := statuses(t, client)
	if err != nil || !slices.Equal(seen, []string{"running", "running", "succeeded"}) {
		t.Errorf("saw %v, %v", seen, err)
	}
	want := []string{"/t/events", "/t?wait=10", "/t?wait=10", "/t?wait=10", "/t?wait=10"}
	if got := server.requests(); !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func TestAWaitPollsWhereTheServerOffersNothingBetterAndRemembersThat(t *testing.T) {
	server := newTaskServer(t)
	server.looks = []http.HandlerFunc{says(http.StatusOK, `{"id":"t","status":"queued"}`), says(http.StatusOK, running), says(http.StatusOK, succeeded)}
	client := server.client(t)
	task, err := client.Videos.Wait(testContext(t), "t", WithPollInterval(minPollInterval), WithQuery("a", "b"))
	if err != nil || task.Content.VideoURL() != "https://files.example/1.mp4" {
		t.Fatalf("got %+v, %v", task, err)
	}
	if _, err := client.Videos.Wait(testContext(t), "t"); err != nil {
		t.Fatal(err)
	}
	want := []string{"/t/events?a=b", "/t?a=b&wait=10", "/t?a=b", "/t?a=b", "/t"}
	if got := server.requests(); !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func TestAStreamThatIsHeldBackIsGivenUpForPolling(t *testing.T) {
	server := newTaskServer(t)
	server.streams = []http.HandlerFunc{isSilent}
	server.looks = []http.HandlerFunc{says(http.StatusOK, succeeded)}
	client := server.client(t)
	client.Videos.connection.silence = 20 * time.Millisecond
	for range 2 {
		if seen, err := statuses(t, client); err != nil || !slices.Equal(seen, []string{"succeeded"}) {
			t.Errorf("saw %v, %v", seen, err)
		}
	}
	if got := server.requests(); len(got) != 3 || got[0] != "/t/events" {
		t.Errorf("asked %q, want the events once", got)
	}
}

func TestStreamsThatTellNothingNewGiveWayToPolling(t *testing.T) {
	for name, stream := range map[string]http.HandlerFunc{
		"they break": breaks, "they end": tells(": nothing\n\n"), "they end at once": tells(""), "they fail": says(http.StatusBadGateway, ""),
	} {
		server := newTaskServer(t)
		server.streams = []http.HandlerFunc{stream}
		server.looks = []http.HandlerFunc{says(http.StatusOK, succeeded)}
		if seen, err := statuses(t, server.client(t)); err != nil || !slices.Equal(seen, []string{"succeeded"}) {
			t.Errorf("%s: saw %v, %v", name, seen, err)
		}
		if got := server.requests(); len(got) != fruitlessStreams+1 {
			t.Errorf("%s: asked %q", name, got)
		}
	}
}

func TestAServerWithoutEventsIsAskedForThemOnce(t *testing.T) {
	for _, stream := range []http.HandlerFunc{says(http.StatusMethodNotAllowed, ""), says(http.StatusNotImplemented, ""), says(http.StatusOK, succeeded)} {
		server := newTaskServer(t)
		server.streams = []http.HandlerFunc{stream}
		server.looks = []http.HandlerFunc{says(http.StatusOK, succeeded)}
		client := server.client(t)
		for range 2 {
			if seen, err := statuses(t, client); err != nil || !slices.Equal(seen, []string{"succeeded"}) {
				t.Errorf("saw %v, %v", seen, err)
			}
		}
		if got := server.requests(); len(got) != 3 {
			t.Errorf("asked %q", got)
		}
	}
}

func TestAPassingFaultIsAMissedLook(t *testing.T) {
	server := newTaskServer(t)
	server.looks = []http.HandlerFunc{
		says(http.StatusServiceUnavailable, ""), breaks, says(http.StatusOK, "<html>"), says(http.StatusTooManyRequests, ""),
		says(http.StatusOK, succeeded),
	}
	if seen, err := statuses(t, server.client(t)); err != nil || !slices.Equal(seen, []string{"succeeded"}) {
		t.Errorf("saw %v, %v", seen, err)
	}
}

func TestTheWishOfAServerIsHonouredBetweenLooks(t *testing.T) {
	server := newTaskServer(t)
	server.looks = []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		}, says(http.StatusOK, succeeded),
	}
	client := server.client(t)
	var slept []time.Duration
	client.Videos.connection.clock.sleep = func(_ context.Context, wait time.Duration) error {
		slept = append(slept, wait)
		return nil
	}
	if _, err := statuses(t, client); err != nil || len(slept) != 1 || slept[0] < 7*time.Second {
		t.Errorf("slept %v, %v", slept, err)
	}
}

func TestADefiniteRefusalEndsAWait(t *testing.T) {
	for status, want := range map[int]error{http.StatusUnauthorized: ErrUnauthorized, http.StatusNotFound: ErrNotFound} {
		server := newTaskServer(t)
		server.streams = []http.HandlerFunc{says(status, "")}
		server.looks = []http.HandlerFunc{says(status, "")}
		_, err := statuses(t, server.client(t))
		var told *MeshAPIError
		if !errors.Is(err, want) || !errors.As(err, &told) || told.TaskID != "t" {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestATaskWithoutAResultIsAnError(t *testing.T) {
	for body, code := range map[string]string{
		`{"id":"t","status":"failed","error":{"code":"invalid_input","message":"m"}}`: "invalid_input",
		`{"id":"t","status":"expired"}`:                                               "expired",
		`{"id":"t","status":"cancelled","error":"stopped"}`:                           "cancelled",
	} {
		server := newTaskServer(t)
		server.looks = []http.HandlerFunc{says(http.StatusOK, body)}
		task, err := server.client(t).Videos.Wait(testContext(t), "t")
		var failed *TaskFailedError
		var told *MeshAPIError
		if !errors.As(err, &failed) || failed.Task != task || !errors.As(err, &told) || told.Code != code || told.TaskID != "t" {
			t.Errorf("%s: got %v, %v", body, task, err)
		}
		if !strings.Contains(err.Error(), code) || errors.Is(err, ErrTimeout) {
			t.Errorf("the message is %q", err)
		}
	}
}

func TestAWaitThatRunsOutNamesTheTaskAndTheLastFault(t *testing.T) {
	server := newTaskServer(t)
	server.looks = []http.HandlerFunc{says(http.StatusOK, running), says(http.StatusBadGateway, "")}
	task, err := server.client(t).Videos.Wait(context.Background(), "t", WithMaxWait(80*time.Millisecond), WithPollInterval(minPollInterval))
	var late *WaitTimeoutError
	if !errors.As(err, &late) || late.TaskID != "t" || late.Task != task || task.Status != StatusRunning || late.Waited != 80*time.Millisecond {
		t.Fatalf("got %v, %v", task, err)
	}
	var told *MeshAPIError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrUpstreamFailed) || !errors.As(err, &told) || told.Code != "wait_timeout" {
		t.Errorf("got %#v", err)
	}
	never := newTaskServer(t)
	never.looks = []http.HandlerFunc{breaks}
	task, err = never.client(t).Videos.Wait(context.Background(), "t", WithMaxWait(30*time.Millisecond), WithPollInterval(minPollInterval))
	if !errors.As(err, &late) || task != nil || !strings.Contains(err.Error(), "never seen") {
		t.Errorf("got %v, %v", task, err)
	}
}

func TestTheDeadlineOfTheContextBoundsAWait(t *testing.T) {
	server := newTaskServer(t)
	server.looks = []http.HandlerFunc{func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() }}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := server.client(t).Videos.Wait(ctx, "t", WithMaxWait(time.Hour))
	var late *WaitTimeoutError
	if !errors.As(err, &late) || late.Waited > time.Second {
		t.Errorf("got %v", err)
	}
}

func TestAnAbandonedWaitSaysSo(t *testing.T) {
	for name, stream := range map[string]http.HandlerFunc{"streaming": isSilent, "polling": says(http.StatusNotFound, "")} {
		server := newTaskServer(t)
		ctx, cancel := context.WithCancel(testContext(t))
		server.streams = []http.HandlerFunc{func(w http.ResponseWriter, request *http.Request) {
			if name == "streaming" {
				time.AfterFunc(time.Millisecond, cancel)
			}
			stream(w, request)
		}}
		server.looks = []http.HandlerFunc{func(_ http.ResponseWriter, request *http.Request) {
			cancel()
			<-request.Context().Done()
		}}
		_, err := server.client(t).Videos.Wait(ctx, "t")
		var late *WaitTimeoutError
		var told *MeshAPIError
		if !errors.Is(err, context.Canceled) || errors.As(err, &late) || !errors.As(err, &told) || told.TaskID != "t" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAWaitWithoutAnEndIsRefusedBeforeAnythingIsPaid(t *testing.T) {
	server := newTaskServer(t)
	client := server.client(t)
	_, waiting := client.Videos.Wait(context.Background(), "t")
	_, creating := client.Videos.GenerateAndWait(context.Background(), VideoGenerationParams{Model: "m/x"})
	_, refusing := client.Videos.GenerateAndWait(testContext(t), VideoGenerationParams{Model: "m/x"}, WithLastFrame())
	for _, err := range []error{waiting, creating, refusing} {
		if !errors.Is(err, ErrConfiguration) {
			t.Errorf("got %v, want ErrConfiguration", err)
		}
	}
	if len(server.requests()) != 0 {
		t.Errorf("asked %q", server.requests())
	}
}

func TestAWatcherWhoHasSeenEnoughIsLeftInPeace(t *testing.T) {
	server := newTaskServer(t)
	gone := make(chan struct{})
	server.streams = []http.HandlerFunc{func(w http.ResponseWriter, request *http.Request) {
		tells(taskEvent(1, running))(w, request)
		_ = http.NewResponseController(w).Flush()
		<-request.Context().Done()
		close(gone)
	}}
	for task, err := range server.client(t).Videos.Watch(testContext(t), "t") {
		if err != nil || task.Status != StatusRunning {
			t.Errorf("got %v, %v", task, err)
		}
		break
	}
	<-gone
	if len(server.requests()) != 1 {
		t.Errorf("asked %q", server.requests())
	}
}

func TestGenerateAndWaitReturnsTheTaskWhateverGoesWrongAfterwards(t *testing.T) {
	created := `{"id":"t","status":"pending"}`
	cases := map[string]struct {
		looks  []http.HandlerFunc
		status string
		want   error
	}{
		"it succeeds":          {[]http.HandlerFunc{says(200, created), says(200, succeeded)}, StatusSucceeded, nil},
		"it ends at once":      {[]http.HandlerFunc{says(200, succeeded)}, StatusSucceeded, nil},
		"the key is revoked":   {[]http.HandlerFunc{says(200, created), says(401, "")}, StatusPending, ErrUnauthorized},
		"the wait is too long": {[]http.HandlerFunc{says(200, created), breaks}, StatusPending, context.DeadlineExceeded},
	}
	for name, each := range cases {
		server := newTaskServer(t)
		server.looks = each.looks
		task, err := server.client(t).Videos.GenerateAndWait(testContext(t), VideoGenerationParams{Model: "m/x"},
			WithMaxWait(200*time.Millisecond), WithPollInterval(minPollInterval), WithIdempotencyKey("k"), WithHeader("X-A", "b"))
		if task == nil || task.ID != "t" || task.Status != each.status || !errors.Is(err, each.want) {
			t.Errorf("%s: got %+v, %v", name, task, err)
		}
	}
	refused := newTaskServer(t)
	refused.looks = []http.HandlerFunc{says(http.StatusUnprocessableEntity, "")}
	if task, err := refused.client(t).Videos.GenerateAndWait(testContext(t), VideoGenerationParams{}); task != nil || !errors.Is(err, ErrUnprocessable) {
		t.Errorf("got %v, %v", task, err)
	}
}

func TestAnEndedTaskIsNotWaitedFor(t *testing.T) {
	server := newTaskServer(t)
	server.looks = []http.HandlerFunc{says(http.StatusOK, succeeded)}
	if _, err := server.client(t).Videos.GenerateAndWait(testContext(t), VideoGenerationParams{Model: "m/x"}); err != nil {
		t.Fatal(err)
	}
	if got := server.requests(); !slices.Equal(got, []string{""}) {
		t.Errorf("asked %q, want only the create", got)
	}
}

func TestTheHeadersOfACallGoWithItsStreamsAndLooks(t *testing.T) {
	var versions []string
	note := func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, request *http.Request) {
			versions = append(versions, request.Header.Get("X-Mesh-Version"))
			w.Header().Set("X-Request-Id", "req_stream")
			next(w, request)
		}
	}
	server := newTaskServer(t)
	server.streams = []http.HandlerFunc{note(tells(taskEvent(1, running))), note(says(http.StatusNotImplemented, ""))}
	server.looks = []http.HandlerFunc{note(says(http.StatusOK, succeeded))}
	for task, err := range server.client(t).Videos.Watch(testContext(t), "t", WithHeader("X-Mesh-Version", "2026-09")) {
		if err != nil || task.RequestID != "req_stream" {
			t.Errorf("got %+v, %v", task, err)
		}
	}
	if !slices.Equal(versions, []string{"2026-09", "2026-09", "2026-09"}) {
		t.Errorf("the versions asked for are %q", versions)
	}
}

func TestTheReconnectionTimeOfAStreamIsHonoured(t *testing.T) {
	server := newTaskServer(t)
	server.streams = []http.HandlerFunc{tells("retry: 5000\n\n" + taskEvent(1, running)), tells(taskEvent(2, succeeded))}
	client := server.client(t)
	var slept []time.Duration
	client.Videos.connection.clock.sleep = func(_ context.Context, wait time.Duration) error {
		slept = append(slept, wait)
		return nil
	}
	if _, err := statuses(t, client); err != nil || len(slept) != 1 || slept[0] < 5*time.Second {
		t.Errorf("slept %v, %v", slept, err)
	}
}

// A stream that is held back must not hide the end of the task until the wait is over.
func TestTheLastStretchOfAWaitIsPolled(t *testing.T) {
	server := newTaskServer(t)
	server.streams = []http.HandlerFunc{isSilent}
	server.looks = []http.HandlerFunc{says(http.StatusOK, succeeded)}
	client := server.client(t)
	for _, wait := range []time.Duration{lastStretch + 50*time.Millisecond, lastStretch} {
		begun := time.Now()
		if _, err := client.Videos.Wait(context.Background(), "t", WithMaxWait(wait)); err != nil || time.Since(begun) > lastStretch/2 {
			t.Errorf("got %v after %s", err, time.Since(begun))
		}
	}
	if got := server.requests(); !slices.Equal(got, []string{"/t/events", "/t?wait=10", "/t?wait=10"}) {
		t.Errorf("asked %q", got)
	}
}
