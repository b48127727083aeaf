package meshapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder is a real server that keeps what it was asked and gives prepared answers, the last one again and again.
type recorder struct {
	*httptest.Server
	mutex    sync.Mutex
	requests []recorded
	answers  []prepared
}

type recorded struct {
	method, uri, path, query string
	header                   http.Header
	body                     []byte
}

type prepared struct {
	status int
	header map[string]string
	body   string
}

func newRecorder(t *testing.T, answers ...prepared) *recorder {
	t.Helper()
	r := &recorder{answers: answers}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	path, _, _ := strings.Cut(request.RequestURI, "?")
	r.mutex.Lock()
	r.requests = append(r.requests, recorded{
		request.Method, request.RequestURI, path, request.URL.RawQuery, request.Header, body,
	})
	answer := r.answers[min(len(r.requests), len(r.answers))-1]
	r.mutex.Unlock()
	w.Header()["Content-Type"] = nil // no guessing
	for name, value := range answer.header {
		w.Header()[name] = []string{value} // spelt as it is
	}
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, answer.body)
}

func (r *recorder) all() []recorded {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return append([]recorded(nil), r.requests...)
}

func (r *recorder) last(t *testing.T) recorded {
	t.Helper()
	all := r.all()
	if len(all) == 0 {
		t.Fatal("nothing was sent")
	}
	return all[len(all)-1]
}

// client is one of the recorder, without repetitions.
func (r *recorder) client(t *testing.T) *Client {
	t.Helper()
	return newClient(t, Config{BaseURL: r.URL, Token: "rsk_test", MaxRetries: Int(0)})
}

func newClient(t *testing.T, config Config) *Client {
	t.Helper()
	client, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
