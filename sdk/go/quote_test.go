package meshapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestAQuoteHasTheBodyOfTheCreateAndNotItsKey(t *testing.T) {
	server := newRecorder(t, prepared{http.StatusOK, map[string]string{"X-Request-Id": "req_1"}, `{"id":"task_1","cost_usd":"0.25"}`})
	params := VideoGenerationParams{Model: "mesh/diorama-1", Duration: Int(5), MaxCostUSD: String("0.50")}
	videos := server.client(t).Videos
	quote, err := videos.Quote(testContext(t), params, WithIdempotencyKey("order-17"))
	if err != nil || quote.CostUSD != "0.25" || quote.RequestID != "req_1" {
		t.Errorf("got %+v, %v", quote, err)
	}
	if _, err := videos.Generate(testContext(t), params, WithIdempotencyKey("order-17")); err != nil {
		t.Fatal(err)
	}
	all := server.all()
	if all[0].path != "/v1/video/quote" || all[0].method != http.MethodPost || string(all[0].body) != string(all[1].body) {
		t.Errorf("asked %s %s with %s, the create with %s", all[0].method, all[0].path, all[0].body, all[1].body)
	}
	if all[0].header.Get("Idempotency-Key") != "" || all[1].header.Get("Idempotency-Key") != "order-17" {
		t.Error("the key belongs to the create")
	}
}

func TestAQuoteIsAskedForAgainWhenItsAnswerIsLost(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusBadGateway}, prepared{status: http.StatusOK, body: `{"cost_usd":"0"}`})
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", Retry: RetryPolicy{Initial: 1}})
	quote, err := client.Videos.Quote(testContext(t), VideoGenerationParams{Model: "mesh/diorama-1"})
	if err != nil || quote.CostUSD != "0" || len(server.all()) != 2 {
		t.Errorf("got %+v, %v after %d requests", quote, err, len(server.all()))
	}
}

func TestADryRunIsRefusedWithTheCallToMakeInstead(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: accepted})
	_, err := server.client(t).Videos.Generate(testContext(t), VideoGenerationParams{Extra: map[string]any{"dry_run": true}})
	if !errors.Is(err, ErrConfiguration) || !strings.Contains(err.Error(), "Quote") || len(server.all()) > 0 {
		t.Errorf("got %v after %d requests", err, len(server.all()))
	}
}

func TestABodyLargerThanServersTakeIsRefusedBeforeItIsSent(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: accepted})
	picture := "data:image/png;base64," + strings.Repeat("A", maxBodySize)
	params := VideoGenerationParams{Content: []VideoContentItem{{Type: "image_url", ImageURL: &picture}}}
	_, err := server.client(t).Videos.Generate(testContext(t), params)
	if !errors.Is(err, ErrRequestTooLarge) || !strings.Contains(err.Error(), "servers take 32 MiB") || len(server.all()) > 0 {
		t.Errorf("got %v after %d requests", err, len(server.all()))
	}
}

func TestARefusedPriceIsFoundAsSuch(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusPaymentRequired, body: `{"error":{"code":"spend_limit_exceeded"}}`})
	_, err := server.client(t).Videos.Generate(testContext(t), VideoGenerationParams{MaxCostUSD: String("0.10")})
	if !errors.Is(err, ErrSpendLimit) {
		t.Errorf("got %v", err)
	}
	var body map[string]any
	if err := json.Unmarshal(server.last(t).body, &body); err != nil || body["max_cost_usd"] != "0.10" {
		t.Errorf("sent %v, %v", body, err)
	}
}

func TestTheTimelineOfAnUnknownTaskIsNotFound(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusNotFound, body: `{"error":{"code":"not_found"}}`})
	if _, err := server.client(t).Videos.Timeline(testContext(t), "task/9"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if path := server.last(t).path; path != "/v1/video/generations/task%2F9/timeline" {
		t.Errorf("asked for %s", path)
	}
}

func TestEveryResultKnowsTheRequestThatBroughtIt(t *testing.T) {
	ids := map[string]string{"X-Request-Id": "req_7"}
	list := newRecorder(t, prepared{http.StatusOK, ids, `{"data":[{"id":"a"},{"id":"b"}]}`}).client(t)
	page, err := list.Videos.List(testContext(t), nil)
	if err != nil || page.RequestID != "req_7" || page.Data[0].RequestID != "req_7" || page.Data[1].RequestID != "req_7" {
		t.Errorf("got %+v, %v", page, err)
	}
	models := newRecorder(t, prepared{http.StatusOK, ids, `[{"id":"mesh/diorama-1"}]`}).client(t)
	all, err := models.Models.List(testContext(t), nil)
	if err != nil || all[0].RequestID != "req_7" {
		t.Errorf("got %+v, %v", all, err)
	}
	one, err := newRecorder(t, prepared{http.StatusOK, ids, `{"id":"m/x"}`}).client(t).Models.Get(testContext(t), "m/x")
	if err != nil || one.RequestID != "req_7" {
		t.Errorf("got %+v, %v", one, err)
	}
}

func TestTheAnswerOfACallCanBeLookedAt(t *testing.T) {
	server := newRecorder(t,
		prepared{http.StatusServiceUnavailable, nil, ""},
		prepared{http.StatusOK, map[string]string{"X-Request-Id": "req_7", "X-Mesh-Routing-Fallback": "true"}, accepted},
		prepared{http.StatusNotFound, nil, `{"error":{"code":"not_found"}}`})
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", Retry: RetryPolicy{Initial: 1}})
	var response Response
	task, err := client.Videos.Retrieve(testContext(t), "task_1", WithResponse(&response))
	if err != nil || response.Status != http.StatusOK || string(response.Body) != accepted ||
		response.RequestID() != task.RequestID || response.Header.Get("X-Mesh-Routing-Fallback") != "true" {
		t.Errorf("got %+v, %v", response, err)
	}
	if _, err := client.Videos.Retrieve(testContext(t), "task_1", WithResponse(&response)); err == nil || response.Status != http.StatusNotFound {
		t.Errorf("got %+v, %v", response, err)
	}
}
