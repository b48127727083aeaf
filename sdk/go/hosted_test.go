package meshapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// hostedService speaks as the public service does: "queued" for pending, times as ISO 8601, a create answered with
// little more than an id, media in requests as objects only, and none of our extensions.
type hostedService struct {
	mutex  sync.Mutex
	looks  map[string]int
	order  []string
	faults []string
}

func newHostedService(t testing.TB) (*httptest.Server, *hostedService) {
	t.Helper()
	service := &hostedService{looks: map[string]int{}}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /v1/video/generations", service.create)
	routes.HandleFunc("GET /v1/video/generations", service.list)
	routes.HandleFunc("GET /v1/video/generations/{id}", service.retrieve)
	server := httptest.NewServer(service.checked(routes))
	t.Cleanup(func() {
		server.Close()
		for _, fault := range service.faults {
			t.Error(fault)
		}
	})
	return server, service
}

func (s *hostedService) checked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if request.Header.Get("Authorization") != "Bearer rsk_hosted" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":{"code":"unauthorized","message":"Invalid key."},"request_id":"req_0"}`)
			return
		}
		next.ServeHTTP(w, request)
	})
}

func (s *hostedService) create(w http.ResponseWriter, request *http.Request) {
	var body struct {
		Model   string `json:"model"`
		Content []struct {
			Type     string          `json:"type"`
			Text     string          `json:"text"`
			ImageURL json.RawMessage `json:"image_url"`
		} `json:"content"`
	}
	if err := json.NewDecoder(request.Body).Decode(&body); err != nil || body.Model == "" || len(body.Content) == 0 {
		s.faults = append(s.faults, fmt.Sprintf("a create that the service would refuse: %+v, %v", body, err))
	}
	for _, item := range body.Content {
		if len(item.ImageURL) > 0 && !strings.HasPrefix(string(item.ImageURL), "{") {
			s.faults = append(s.faults, "a medium that is no object: "+string(item.ImageURL))
		}
	}
	id := fmt.Sprintf("cgt-2026-%d", len(s.order)+1)
	s.order = append([]string{id}, s.order...)
	fmt.Fprintf(w, `{"id":%q}`, id)
}

// retrieve tells a task as queued first, then as done.
func (s *hostedService) retrieve(w http.ResponseWriter, request *http.Request) {
	id := request.PathValue("id")
	s.looks[id]++
	fmt.Fprint(w, s.task(id))
}

func (s *hostedService) task(id string) string {
	const times = `"created_at":"2026-08-01T12:00:00Z","updated_at":"2026-08-01T12:00:05Z"`
	if s.looks[id] < 2 {
		return fmt.Sprintf(`{"id":%q,"status":"queued","content":null,"error":null,%s}`, id, times)
	}
	return fmt.Sprintf(`{"id":%q,"status":"succeeded","content":{"video_url":"https://cdn.example/%s.mp4","last_frame_url":null},`+
		`"error":null,"usage":{"completion_tokens":1,"total_tokens":1},%s}`, id, id, times)
}

func (s *hostedService) list(w http.ResponseWriter, request *http.Request) {
	tasks := make([]string, len(s.order))
	for index, id := range s.order {
		tasks[index] = s.task(id)
	}
	fmt.Fprintf(w, `{"object":"list","data":[%s],"has_more":false,"total":%d,"limit":50,"offset":0}`,
		strings.Join(tasks, ","), len(tasks))
}
