package meshapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

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
