package meshapi

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
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

// A transport of its own kind tells nothing of what it wrote.
func TestATransportThatTellsNothingIsNotTrustedToHaveSentNothing(t *testing.T) {
	for name, each := range map[string]struct {
		err   error
		sends int
		may   bool
	}{
		"it broke":         {io.ErrUnexpectedEOF, 1, true},
		"it could not go":  {&net.OpError{Op: "dial", Err: errors.New("refused")}, 3, false},
		"nobody is there":  {&net.DNSError{Err: "no such host", Name: "server.example"}, 3, false},
		"it broke reading": {&net.OpError{Op: "read", Err: errors.New("reset")}, 1, true},
	} {
		sends := 0
		client := newClient(t, Config{
			BaseURL: "http://server.example", Token: "rsk_test", Retry: RetryPolicy{Initial: time.Millisecond},
			HTTPClient: &http.Client{Transport: transportFunc(func(request *http.Request) (*http.Response, error) {
				if request.Method == http.MethodPost {
					sends++
				}
				return nil, each.err
			})},
		})
		_, err := client.Videos.Generate(testContext(t), VideoGenerationParams{Model: "m/x"})
		var told *MeshAPIError
		if !errors.As(err, &told) || told.TaskMayExist != each.may || sends != each.sends {
			t.Errorf("%s: %d sends, got %v", name, sends, err)
		}
	}
}

func TestAllOfThisWorksOverHTTP2(t *testing.T) {
	protocols := make(chan string, 10)
	key := ""
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		protocols <- request.Proto
		if request.Method == http.MethodPost {
			key = request.Header.Get("Idempotency-Key")
		}
		_, _ = io.WriteString(w, accepted)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", HTTPClient: server.Client()})
	if _, err := client.Videos.Generate(testContext(t), VideoGenerationParams{Model: "m/x"}, WithIdempotencyKey("k-1")); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Videos.Retrieve(testContext(t), "../x"); err != nil {
		t.Fatal(err)
	}
	if first, second := <-protocols, <-protocols; first != "HTTP/2.0" || second != first || key != "k-1" {
		t.Errorf("spoke %s and %s, the key arrived as %q", first, second, key)
	}
}

func TestARepetitionDoesNotOutlastTheTotal(t *testing.T) {
	var sends atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if sends.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		<-request.Context().Done()
	}))
	defer server.Close()
	client := newClient(t, Config{
		BaseURL: server.URL, Token: "rsk_test", Timeout: -1,
		Retry: RetryPolicy{Initial: time.Millisecond, Total: 300 * time.Millisecond},
	})
	if _, err := client.Videos.Retrieve(testContext(t), "t"); !errors.Is(err, ErrTimeout) || sends.Load() != 2 {
		t.Errorf("got %v after %d sends", err, sends.Load())
	}
}

func TestACreateAtAServerWithAForeignCertificateMadeNoTask(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", Retry: RetryPolicy{Initial: time.Millisecond}})
	_, err := client.Videos.Generate(testContext(t), VideoGenerationParams{Model: "m/x"})
	var told *MeshAPIError
	var certificate *tls.CertificateVerificationError
	if !errors.As(err, &told) || told.TaskMayExist || !errors.As(err, &certificate) {
		t.Errorf("got %v", err)
	}
}
