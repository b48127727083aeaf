package meshapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestARequestSaysWhoItIsFromAndWhatItCarries(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: accepted})
	client := server.client(t)
	if _, err := client.Videos.Generate(testContext(t), VideoGenerationParams{Model: "m/x"}, WithHeader("X-Mesh-Version", "2026-09")); err != nil {
		t.Fatal(err)
	}
	sent := server.last(t)
	for name, want := range map[string]string{
		"Authorization": "Bearer rsk_test", "Content-Type": "application/json", "Accept": "application/json",
		"X-Meshapi-Sdk": "go/" + Version, "User-Agent": "meshapi-go/" + Version, "X-Mesh-Version": "2026-09",
	} {
		if got := sent.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if sent.method != http.MethodPost || sent.uri != "/v1/video/generations" {
		t.Errorf("sent %s %s", sent.method, sent.uri)
	}
}

func TestACreateHasOneKeyForAllItsAttemptsAndAnotherEachCall(t *testing.T) {
	supported := map[string]string{"X-Mesh-Idempotency": "supported"}
	server := newRecorder(t,
		prepared{status: http.StatusBadGateway, header: supported}, prepared{status: http.StatusOK, body: accepted},
		prepared{status: http.StatusOK, body: accepted}, prepared{status: http.StatusOK, body: accepted})
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", Retry: RetryPolicy{Initial: time.Millisecond}})
	for _, opts := range [][]Option{nil, nil, {WithIdempotencyKey("order-17")}} {
		if _, err := client.Videos.Generate(testContext(t), VideoGenerationParams{Model: "m/x"}, opts...); err != nil {
			t.Fatal(err)
		}
	}
	var keys, bodies []string
	for _, request := range server.all() {
		keys = append(keys, request.header.Get("Idempotency-Key"))
		bodies = append(bodies, string(request.body))
	}
	if len(keys) != 4 || keys[0] == "" || keys[0] != keys[1] || keys[1] == keys[2] || keys[3] != "order-17" {
		t.Errorf("keys are %q", keys)
	}
	if bodies[0] == "" || bodies[0] != bodies[1] {
		t.Errorf("the repeated body is %q, the first was %q", bodies[1], bodies[0])
	}
}

// net/http sends a request with an Idempotency-Key again by itself when a kept connection breaks, which would be a
// second paid task at a server that does not know such keys.
func TestACreateOnAKeptConnectionThatBreaksIsSentOnce(t *testing.T) {
	var creates atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		if request.Method != http.MethodPost {
			_, _ = io.WriteString(w, accepted)
			return
		}
		creates.Add(1)
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = connection.Close()
		}
	}))
	defer server.Close()
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", Retry: RetryPolicy{Initial: time.Millisecond}})
	if _, err := client.Videos.Retrieve(testContext(t), "warm"); err != nil {
		t.Fatal(err)
	}
	_, err := client.Videos.Generate(testContext(t), VideoGenerationParams{Model: "m/x"})
	var told *MeshAPIError
	if !errors.As(err, &told) || !told.TaskMayExist || !errors.Is(err, ErrConnection) || told.IdempotencyKey == "" {
		t.Errorf("got %v, want a connection error that says the task may exist", err)
	}
	if creates.Load() != 1 {
		t.Errorf("%d creates were sent, want 1", creates.Load())
	}
}

func TestACreateThatCannotConnectMadeNoTask(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", MaxRetries: Int(1), Retry: RetryPolicy{Initial: time.Millisecond}})
	_, err := client.Videos.Generate(testContext(t), VideoGenerationParams{Model: "m/x"})
	var told *MeshAPIError
	if !errors.As(err, &told) || told.TaskMayExist || !errors.Is(err, ErrConnection) || told.Status != 0 {
		t.Errorf("got %#v", err)
	}
}

func TestACreateThatIsAbandonedMayHaveMadeATask(t *testing.T) {
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		close(arrived)
		<-request.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(testContext(t))
	go func() {
		<-arrived
		cancel()
	}()
	_, err := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test"}).Videos.Generate(ctx, VideoGenerationParams{Model: "m/x"})
	var told *MeshAPIError
	if !errors.As(err, &told) || !told.TaskMayExist || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestACreateAnsweredWithNonsenseMayHaveMadeATask(t *testing.T) {
	for _, body := range []string{"<html>login</html>", "{}", `{"id":null}`, ""} {
		server := newRecorder(t, prepared{status: http.StatusOK, body: body, header: map[string]string{"X-Request-Id": "req_7"}})
		_, err := server.client(t).Videos.Generate(testContext(t), VideoGenerationParams{Model: "m/x"})
		var told *MeshAPIError
		if !errors.As(err, &told) || !told.TaskMayExist || !errors.Is(err, ErrUndecodable) || told.RequestID != "req_7" {
			t.Errorf("%q: got %v", body, err)
		}
	}
}

func TestATimeoutOfAnAttemptIsNotTheCallersDeadline(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		select {
		case <-release:
		case <-request.Context().Done():
		}
	}))
	defer server.Close()
	defer close(release)
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", Timeout: 30 * time.Millisecond, MaxRetries: Int(0)})
	_, err := client.Videos.Retrieve(context.Background(), "t")
	if !errors.Is(err, ErrTimeout) || !errors.Is(err, ErrConnection) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestAContextThatEndsWhileWaitingToRepeatEndsTheCall(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusServiceUnavailable, header: map[string]string{"Retry-After": "100"}})
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test"})
	ctx, cancel := context.WithCancel(context.Background())
	client.Videos.connection.clock.sleep = func(ctx context.Context, wait time.Duration) error {
		cancel()
		return sleep(ctx, wait)
	}
	_, err := client.Videos.Retrieve(ctx, "t")
	var told *MeshAPIError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &told) || told.Status != http.StatusServiceUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestAWaitThatTheDeadlineForbidsIsNotBegun(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusTooManyRequests, header: map[string]string{"Retry-After": "120"}})
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test"})
	client.Videos.connection.clock.sleep = func(context.Context, time.Duration) error {
		t.Error("slept although the deadline comes before the server's wish")
		return nil
	}
	_, err := client.Videos.Retrieve(testContext(t), "t")
	var told *MeshAPIError
	if !errors.As(err, &told) || !errors.Is(err, ErrRateLimited) || told.RetryAfter != 2*time.Minute {
		t.Errorf("got %v", err)
	}
}

func TestACreateIsNotSentOnToWhereARedirectPoints(t *testing.T) {
	elsewhere := newRecorder(t, prepared{status: http.StatusOK, body: accepted})
	server := newRecorder(t, prepared{status: http.StatusTemporaryRedirect, header: map[string]string{"Location": elsewhere.URL + "/v1/video/generations"}})
	_, err := server.client(t).Videos.Generate(testContext(t), VideoGenerationParams{Model: "m/x"})
	var told *MeshAPIError
	if !errors.As(err, &told) || told.Status != http.StatusTemporaryRedirect || len(elsewhere.all()) != 0 {
		t.Errorf("got %v, and %d requests elsewhere", err, len(elsewhere.all()))
	}
}

func TestTheKeyDoesNotFollowARedirectToAnotherServer(t *testing.T) {
	elsewhere := newRecorder(t, prepared{status: http.StatusOK, body: accepted})
	server := newRecorder(t, prepared{status: http.StatusFound, header: map[string]string{"Location": elsewhere.URL + "/t"}})
	if _, err := server.client(t).Videos.Retrieve(testContext(t), "t"); err != nil {
		t.Fatal(err)
	}
	if key := elsewhere.last(t).header.Get("Authorization"); key != "" {
		t.Errorf("the other server was told %q", key)
	}
}

func TestTheRedirectsOfAGivenClientAreHeeded(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusFound, header: map[string]string{"Location": "/again"}})
	refused := errors.New("no redirects here")
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", MaxRetries: Int(0), HTTPClient: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return refused },
	}})
	if _, err := client.Videos.Retrieve(testContext(t), "t"); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	endless := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", MaxRetries: Int(0)})
	if _, err := endless.Videos.Retrieve(testContext(t), "t"); err == nil || len(server.all()) != 1+10 {
		t.Errorf("got %v after %d requests", err, len(server.all()))
	}
}

func TestOneClientServesManyGoroutines(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: accepted, header: map[string]string{"X-Mesh-Idempotency": "supported"}})
	client := server.client(t)
	var group sync.WaitGroup
	for range 16 {
		group.Add(1)
		go func() {
			defer group.Done()
			if _, err := client.Videos.Generate(testContext(t), VideoGenerationParams{Model: "m/x"}); err != nil {
				t.Error(err)
			}
			if _, err := client.Videos.Retrieve(testContext(t), "task_1"); err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
	if got := len(server.all()); got != 32 {
		t.Errorf("%d requests arrived, want 32", got)
	}
}

func TestCancelAndDeleteAskForWhatTheySay(t *testing.T) {
	server := newRecorder(t,
		prepared{status: http.StatusOK, body: `{"id":"t","status":"failed","error":{"code":"cancelled","message":"m"}}`},
		prepared{status: http.StatusOK, body: `{"id":"t","deleted":true}`},
		prepared{status: http.StatusNoContent},
		prepared{status: http.StatusOK, body: `{"id":"t","status":"failed"}`})
	client := server.client(t)
	task, err := client.Videos.Cancel(testContext(t), "t")
	if err != nil || task.Error == nil || task.Error.Code != "cancelled" {
		t.Errorf("got %+v, %v", task, err)
	}
	for _, want := range []bool{true, true, false} {
		deleted, err := client.Videos.Delete(testContext(t), "t")
		if err != nil || deleted.ID != "t" || deleted.Deleted != want {
			t.Errorf("got %+v, %v, want deleted %v", deleted, err, want)
		}
	}
	for index, want := range []string{"POST /v1/video/generations/t/cancel", "DELETE /v1/video/generations/t"} {
		if got := server.all()[index]; got.method+" "+got.uri != want {
			t.Errorf("asked for %s %s, want %s", got.method, got.uri, want)
		}
	}
}

func TestModelsAreListedAndFound(t *testing.T) {
	row := `{"id":"mesh/diorama-1","name":"Diorama","is_free":true,"pricing":{"output_usd_per_unit":"0","notes":null},` +
		`"supports_video_generation":true,"video":{"durations":[5,10],"ratios":["16:9"],"audio":true,"max_images":2,"fps":null},"new":1}`
	server := newRecorder(t,
		prepared{status: http.StatusOK, body: "[" + row + ",null,7]"},
		prepared{status: http.StatusOK, body: `{"data":[` + row + `]}`},
		prepared{status: http.StatusOK, body: row},
		prepared{status: http.StatusOK, body: `"models"`})
	client := server.client(t)
	for range 2 {
		models, err := client.Models.List(testContext(t), &ListModelsParams{Type: "video", Provider: "mesh"})
		if err != nil || len(models) != 1 || models[0].ID != "mesh/diorama-1" {
			t.Fatalf("got %+v, %v", models, err)
		}
	}
	if got := server.all()[0].uri; got != "/v1/models?type=video&provider=mesh" {
		t.Errorf("asked for %s", got)
	}
	model, err := client.Models.Get(testContext(t), "mesh/diorama-1")
	if err != nil || model.Video == nil || len(model.Video.Durations) != 2 || !model.Video.Audio || *model.Video.MaxImages != 2 ||
		model.Video.FPS != nil || model.Pricing["output_usd_per_unit"] != "0" || !strings.Contains(string(model.Raw), `"new":1`) {
		t.Errorf("got %+v, %v", model, err)
	}
	if _, err := client.Models.List(testContext(t), nil); !errors.Is(err, ErrUndecodable) {
		t.Errorf("got %v, want ErrUndecodable", err)
	}
}

func TestARefusalCountsEvenIfItsBodyBreaksOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		out := bufio.NewWriter(connection)
		fmt.Fprint(out, "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{\"error\"")
		_ = out.Flush()
		_ = connection.Close()
	}))
	defer server.Close()
	_, err := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test"}).Videos.Retrieve(testContext(t), "t")
	if !errors.Is(err, ErrForbidden) {
		t.Errorf("got %v", err)
	}
}
