package meshapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	endpoints  = "/v1/webhooks/endpoints"
	deliveries = "/v1/webhooks/deliveries"
)

// hookCall is one call of client.Webhooks: what it sends, and whether it may be sent twice.
type hookCall struct {
	call               func(context.Context, Webhooks) (requestID string, err error)
	method, path, body string
	once               bool
}

var hookCalls = map[string]hookCall{
	"create": {func(ctx context.Context, hooks Webhooks) (string, error) {
		made, err := hooks.Endpoints.Create(ctx, WebhookEndpointParams{
			URL: "https://a.example/h?a=1&b=2", Events: []string{"x.y"}, Enabled: Bool(false),
		})
		return requestOf(made, err, func() string { return made.RequestID })
	}, "POST", endpoints, `{"enabled":false,"events":["x.y"],"url":"https://a.example/h?a=1&b=2"}`, true},
	"list": {func(ctx context.Context, hooks Webhooks) (string, error) {
		found, err := hooks.Endpoints.List(ctx)
		return requestOf(found, err, func() string { return found.RequestID })
	}, "GET", endpoints, "", false},
	"get": {func(ctx context.Context, hooks Webhooks) (string, error) {
		found, err := hooks.Endpoints.Get(ctx, "whe/1")
		return requestOf(found, err, func() string { return found.RequestID })
	}, "GET", endpoints + "/whe%2F1", "", false},
	"update": {func(ctx context.Context, hooks Webhooks) (string, error) {
		moved, err := hooks.Endpoints.Update(ctx, "whe_1", WebhookEndpointParams{Events: []string{}, Description: String("")})
		return requestOf(moved, err, func() string { return moved.RequestID })
	}, "PATCH", endpoints + "/whe_1", `{"description":"","events":[]}`, false},
	"delete": {func(ctx context.Context, hooks Webhooks) (string, error) {
		gone, err := hooks.Endpoints.Delete(ctx, "whe_1")
		return requestOf(gone, err, func() string { return gone.RequestID })
	}, "DELETE", endpoints + "/whe_1", "", true},
	"test": {func(ctx context.Context, hooks Webhooks) (string, error) {
		sent, err := hooks.Endpoints.Test(ctx, "whe_1")
		return requestOf(sent, err, func() string { return sent.RequestID })
	}, "POST", endpoints + "/whe_1/test", "", true},
	"rotate": {func(ctx context.Context, hooks Webhooks) (string, error) {
		made, err := hooks.Endpoints.Rotate(ctx, "whe_1")
		return requestOf(made, err, func() string { return made.RequestID })
	}, "POST", endpoints + "/whe_1/rotate", "", true},
	"deliveries": {func(ctx context.Context, hooks Webhooks) (string, error) {
		found, err := hooks.Deliveries.List(ctx, nil)
		return requestOf(found, err, func() string { return found.RequestID })
	}, "GET", deliveries, "", false},
	"delivery": {func(ctx context.Context, hooks Webhooks) (string, error) {
		found, err := hooks.Deliveries.Get(ctx, "whd_1")
		return requestOf(found, err, func() string { return found.RequestID })
	}, "GET", deliveries + "/whd_1", "", false},
	"redeliver": {func(ctx context.Context, hooks Webhooks) (string, error) {
		sent, err := hooks.Deliveries.Redeliver(ctx, "whd_1")
		return requestOf(sent, err, func() string { return sent.RequestID })
	}, "POST", deliveries + "/whd_1/redeliver", "", false},
	"events": {func(ctx context.Context, hooks Webhooks) (string, error) {
		found, err := hooks.Events(ctx, nil)
		return requestOf(found, err, func() string { return found.RequestID })
	}, "GET", "/v1/events", "", false},
	"secret": {func(ctx context.Context, hooks Webhooks) (string, error) {
		found, err := hooks.GetSecret(ctx)
		return requestOf(found, err, func() string { return found.RequestID })
	}, "GET", "/v1/webhooks/secret", "", false},
	"rotate the secret": {func(ctx context.Context, hooks Webhooks) (string, error) {
		made, err := hooks.RotateSecret(ctx)
		return requestOf(made, err, func() string { return made.RequestID })
	}, "POST", "/v1/webhooks/secret/rotate", "", true},
}

// requestOf is the request that brought a result; with an error there must be no result.
func requestOf[Value any](value *Value, err error, requestID func() string) (string, error) {
	if (value == nil) != (err != nil) {
		return "", fmt.Errorf("got %v together with %w", value, err)
	}
	if err != nil {
		return "", err
	}
	return requestID(), nil
}

func TestACallOfWebhooksIsSentAgainOnlyWhereThatIsHarmless(t *testing.T) {
	for name, each := range hookCalls {
		t.Run(name, func(t *testing.T) {
			server := newRecorder(t, prepared{status: http.StatusInternalServerError},
				prepared{http.StatusOK, map[string]string{"X-Request-Id": "req_7"}, `{"id":"x_1"}`})
			hooks := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", Retry: RetryPolicy{Initial: 1}}).Webhooks
			if each.once {
				if _, err := each.call(testContext(t), hooks); !errors.Is(err, ErrServer) || len(server.all()) != 1 {
					t.Fatalf("got %v after %d requests, want ErrServer after one", err, len(server.all()))
				}
			}
			requestID, err := each.call(testContext(t), hooks)
			if err != nil || requestID != "req_7" || len(server.all()) != 2 {
				t.Fatalf("got %q, %v after %d requests", requestID, err, len(server.all()))
			}
			for _, asked := range server.all() {
				if asked.method != each.method || asked.path != each.path || string(asked.body) != each.body || asked.query != "" {
					t.Errorf("asked %s %s with %s", asked.method, asked.uri, asked.body)
				}
			}
		})
	}
}

func TestACallOfWebhooksIsRefusedBeforeItIsSent(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: `{}`})
	hooks := server.client(t).Webhooks
	if _, err := hooks.Endpoints.Get(testContext(t), ".."); !errors.Is(err, ErrInvalidID) {
		t.Errorf("got %v, want ErrInvalidID", err)
	}
	if _, err := hooks.Deliveries.List(testContext(t), nil, WithLastFrame()); !errors.Is(err, ErrConfiguration) {
		t.Errorf("got %v, want ErrConfiguration", err)
	}
	wrong := New(Config{BaseURL: "nowhere", Token: "rsk_test"})
	if _, err := wrong.Webhooks.Endpoints.List(testContext(t)); !errors.Is(err, ErrConfiguration) {
		t.Errorf("got %v, want ErrConfiguration", err)
	}
	if len(server.all()) > 0 {
		t.Errorf("sent %d requests", len(server.all()))
	}
}

func TestWebhooksWithoutAClientAskTheServerOfTheEnvironment(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: `{"data":[{"id":"evt_1"}]}`})
	t.Setenv("MESHAPI_BASE_URL", server.URL)
	t.Setenv("MESHAPI_API_KEY", "rsk_environment")
	hooks := Webhooks{Secret: "whsec_ZXhhbXBsZQ=="}
	if found, err := hooks.Events(testContext(t), nil); err != nil || len(found.Data) != 1 {
		t.Errorf("got %+v, %v", found, err)
	}
	if _, err := hooks.Endpoints.List(testContext(t)); err != nil {
		t.Error(err)
	}
	if got := server.last(t); got.path != endpoints || got.header.Get("Authorization") != "Bearer rsk_environment" {
		t.Errorf("asked %s with %s", got.uri, got.header.Get("Authorization"))
	}
}

func TestAnEndpointIsReadLeniently(t *testing.T) {
	server := newRecorder(t, prepared{http.StatusOK, map[string]string{"X-Request-Id": "req_1"}, `{"data":[
		{"id":"whe_1","url":"https://a.example/h","events":["a"],"enabled":true,"created_at":1785585600,"updated_at":"2026-08-01T12:00:00Z"},
		null, {"id":7,"url":[],"description":null,"events":"all","enabled":"yes","created_at":{},"new":1}]}`})
	found, err := server.client(t).Webhooks.Endpoints.List(testContext(t))
	if err != nil || len(found.Data) != 2 {
		t.Fatalf("got %+v, %v", found, err)
	}
	first, odd := found.Data[0], found.Data[1]
	if first.ID != "whe_1" || !slices.Equal(first.Events, []string{"a"}) || !first.Enabled ||
		first.CreatedAt != 1785585600 || first.UpdatedAt != first.CreatedAt || first.RequestID != "req_1" {
		t.Errorf("got %#v", first)
	}
	if odd.ID != "" || odd.URL != "" || odd.Events != nil || odd.Enabled || odd.CreatedAt != 0 || !bytes.Contains(odd.Raw, []byte(`"new":1`)) {
		t.Errorf("got %#v with %s", odd, odd.Raw)
	}
	list := newRecorder(t, prepared{status: http.StatusOK, body: `[]`}).client(t)
	if _, err := list.Webhooks.Endpoints.List(testContext(t)); !errors.Is(err, ErrUndecodable) {
		t.Errorf("got %v, want ErrUndecodable", err)
	}
}

func TestADeliveryIsReadWithItsAttempts(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: `{"id":"whd_1","event_id":"evt_1","type":"t","task_id":"task_1",
		"endpoint_id":null,"url":"https://a.example/h","status":"pending","created_at":1785585600.25,"next_attempt_at":null,
		"http_status":503,"error":"it answered 503","attempts":[
			{"attempt":1,"started_at":1785585600.5,"ended_at":1785585601,"http_status":503,"error":"it answered 503"},
			7, {"attempt":2,"started_at":1785585605,"ended_at":null,"http_status":null,"error":null}]}`})
	delivery, err := server.client(t).Webhooks.Deliveries.Get(testContext(t), "whd_1")
	if err != nil {
		t.Fatal(err)
	}
	created := time.UnixMilli(1785585600250).UTC()
	if delivery.EventID != "evt_1" || delivery.EndpointID != "" || delivery.Status != DeliveryPending ||
		!delivery.CreatedAt.Equal(created) || !delivery.NextAttemptAt.IsZero() || delivery.HTTPStatus != 503 {
		t.Errorf("got %+v", delivery)
	}
	if len(delivery.Attempts) != 2 || delivery.Attempts[0].EndedAt.Sub(delivery.Attempts[0].StartedAt) != 500*time.Millisecond ||
		!delivery.Attempts[1].EndedAt.IsZero() || delivery.Attempts[1].HTTPStatus != 0 {
		t.Errorf("got %+v", delivery.Attempts)
	}
}

func TestAnEventTellsItsTask(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: `{"data":[
		{"id":"evt_1","type":"video.generation.succeeded","created_at":1785585600.25,"task":{"id":"task_1","status":"succeeded"}},
		{"id":"evt_2","type":"new.kind","task":null}],"has_more":false,"next":"evt_2"}`})
	found, err := server.client(t).Webhooks.Events(testContext(t), &ListEventsParams{After: "evt_0", Limit: Int(2)})
	if err != nil || len(found.Data) != 2 || found.Next != "evt_2" || found.HasMore {
		t.Fatalf("got %+v, %v", found, err)
	}
	if one := found.Data[0]; one.Task == nil || one.Task.ID != "task_1" || one.CreatedAt.UnixMilli() != 1785585600250 {
		t.Errorf("got %+v", one)
	}
	if other := found.Data[1]; other.Task != nil || other.Type != "new.kind" || len(other.Raw) == 0 {
		t.Errorf("got %+v", other)
	}
	if query := server.last(t).query; query != "limit=2&after=evt_0" {
		t.Errorf("asked with %s", query)
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	const secret = "whsec_ZXhhbXBsZQ=="
	body := `{"id":"whe_1","url":"https://a.example/h","secret":"` + secret + `","previous_secret_expires_at":1785672000}`
	client := newRecorder(t, prepared{status: http.StatusOK, body: body}).client(t)
	made, err := client.Webhooks.Endpoints.Rotate(testContext(t), "whe_1")
	if err != nil || made.Secret != secret || made.PreviousSecretExpiresAt != 1785672000 {
		t.Fatalf("got %v, %v", made, err)
	}
	own, err := client.Webhooks.GetSecret(testContext(t))
	if err != nil || own.Secret != secret {
		t.Fatalf("got %v, %v", own, err)
	}
	var log bytes.Buffer
	for _, each := range []any{made, *made, own, *own, &WebhookEndpointList{Data: []WebhookEndpoint{*made}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			fmt.Fprintf(&log, verb+"\n", each)
		}
	}
	for _, logger := range []*slog.Logger{slog.New(slog.NewJSONHandler(&log, nil)), slog.New(slog.NewTextHandler(&log, nil))} {
		logger.Info("made", "endpoint", made, "own", own)
	}
	if strings.Contains(log.String(), "ZXhhbXBsZQ") || !strings.Contains(log.String(), "whe_1") {
		t.Errorf("printed %s", log.String())
	}
}

func TestAWalkThroughTheFeedGoesOnBehindTheServersCursor(t *testing.T) {
	server := newRecorder(t,
		prepared{status: http.StatusOK, body: `{"data":[{"id":"evt_1"},{"id":"evt_2"}],"has_more":true,"next":"evt_2b"}`},
		prepared{status: http.StatusOK, body: `{"data":[{"id":"evt_3"}],"has_more":false,"next":"evt_3"}`})
	walk := server.client(t).Webhooks.IterEvents(testContext(t), &ListEventsParams{After: "evt_0", Limit: Int(2)})
	if len(server.all()) > 0 {
		t.Error("a page was fetched before it was wanted")
	}
	checkWalk(t, server, walk, func(event *TaskEvent) string { return event.ID },
		[]string{"evt_1", "evt_2", "evt_3"}, []string{"limit=2&after=evt_0", "limit=2&after=evt_2b"})
}

func TestAWalkThroughTheDeliveriesKeepsWhatWasAskedFor(t *testing.T) {
	server := newRecorder(t,
		prepared{status: http.StatusOK, body: `{"data":[{"id":"whd_2"}],"has_more":true}`},
		prepared{status: http.StatusOK, body: `{"data":[{"id":"whd_1"}],"has_more":true}`},
		prepared{status: http.StatusOK, body: `{"data":[],"has_more":true}`})
	walk := server.client(t).Webhooks.Deliveries.Iter(testContext(t), &ListWebhookDeliveriesParams{
		Status: DeliveryDead, EndpointID: "whe_1", EventID: "evt_1", TaskID: "task_1", Limit: Int(1),
	})
	selected := "status=dead&endpoint_id=whe_1&event_id=evt_1&task_id=task_1&limit=1"
	checkWalk(t, server, walk, func(delivery *WebhookDelivery) string { return delivery.ID },
		[]string{"whd_2", "whd_1"}, []string{selected, selected + "&after=whd_2", selected + "&after=whd_1"})
}

// checkWalk walks to the end and compares the rows and the queries.
func checkWalk[Row any](
	t *testing.T, server *recorder, walk iter.Seq2[*Row, error], idOf func(*Row) string, rows, queries []string,
) {
	t.Helper()
	var found, asked []string
	for row, err := range walk {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, idOf(row))
	}
	for _, each := range server.all() {
		asked = append(asked, each.query)
	}
	if !slices.Equal(found, rows) || !slices.Equal(asked, queries) {
		t.Errorf("found %v, asked %v", found, asked)
	}
}

func TestAWalkEndsWhereTheServerNamesNoWayOn(t *testing.T) {
	for _, page := range []string{
		`{"data":[{"id":"evt_1"}],"has_more":true,"next":"evt_0"}`, `{"data":[{"id":""}],"has_more":true}`,
		`{"data":[{"id":"evt_1"}]}`,
	} {
		server := newRecorder(t, prepared{status: http.StatusOK, body: page}, prepared{status: http.StatusNotFound})
		found := 0
		for _, err := range server.client(t).Webhooks.IterEvents(testContext(t), &ListEventsParams{After: "evt_0"}) {
			if found++; err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
		if found != 1 || len(server.all()) != 1 {
			t.Errorf("%s: %d rows, %d requests", page, found, len(server.all()))
		}
	}
}

func TestAWalkEndsWithTheLoopOrWithAnError(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: `{"data":[{"id":"whd_2"},{"id":"whd_1"}],"has_more":true}`},
		prepared{status: http.StatusNotFound})
	client := server.client(t)
	for range client.Webhooks.Deliveries.Iter(testContext(t), nil) {
		break
	}
	if len(server.all()) != 1 {
		t.Errorf("asked %d times", len(server.all()))
	}
	var failures int
	for delivery, err := range client.Webhooks.IterEvents(testContext(t), nil) {
		if delivery != nil || !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v, %v", delivery, err)
		}
		failures++
	}
	if failures != 1 {
		t.Errorf("%d failures", failures)
	}
}

func TestWhatIsToldSurvivesBeingStored(t *testing.T) {
	moment := time.UnixMilli(1785585600250).UTC()
	event := TaskEvent{ID: "evt_1", Type: "t", CreatedAt: moment, Task: &VideoTaskResponse{ID: "task_1", Status: "failed"}}
	delivery := WebhookDelivery{ID: "whd_1", HTTPStatus: 503, CreatedAt: moment, Attempts: []WebhookAttempt{{Attempt: 1, StartedAt: moment}}}
	for _, stored := range []struct {
		value any
		again any
	}{
		{event, &TaskEvent{}},
		{TaskEventList{Data: []TaskEvent{event}, HasMore: true, Next: "evt_1"}, &TaskEventList{}},
		{WebhookDeliveryList{Data: []WebhookDelivery{delivery}}, &WebhookDeliveryList{}},
		{WebhookEndpointList{Data: []WebhookEndpoint{{ID: "whe_1", Enabled: true, Events: []string{"a"}}}}, &WebhookEndpointList{}},
		{WebhookSecret{Secret: "whsec_ZXhhbXBsZQ==", CreatedAt: 1785585600}, &WebhookSecret{}},
		{UsageReport{From: "2026-11-01", Data: []UsageEntry{{Model: "m/x", UsageFigures: UsageFigures{Tasks: 2}}}}, &UsageReport{}},
	} {
		first, err := json.Marshal(stored.value)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(first, stored.again); err != nil {
			t.Fatal(err)
		}
		if second, err := json.Marshal(stored.again); err != nil || !bytes.Equal(first, second) {
			t.Errorf("stored %s, read %s, %v", first, second, err)
		}
	}
	if err := json.Unmarshal([]byte(`"text"`), &TaskEvent{}); err == nil {
		t.Error("a text was read as an event")
	}
}
