package meshapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
)

func TestWebhookDecoding(t *testing.T) {
	type given struct {
		Answer string          `json:"answer"`
		Body   json.RawMessage `json:"body"`
	}
	runSuite(t, "webhook-decoding", func(t *testing.T, given given, want map[string]any) {
		server := newRecorder(t, prepared{http.StatusOK, map[string]string{"X-Request-Id": "req_1"}, string(given.Body)})
		told, requestID, err := keptOfCallbacks(testContext(t), server.client(t).Webhooks, given.Answer)
		if want["undecodable"] == true {
			if !errors.Is(err, ErrUndecodable) {
				t.Fatalf("got %v, %v, want ErrUndecodable", told, err)
			}
			return
		}
		if err != nil || requestID != "req_1" {
			t.Fatalf("got %q, %v", requestID, err)
		}
		checkAtLeast(t, told, want)
	})
}

// keptOfCallbacks is what the server keeps of callbacks, asked for and told in the words of the contract.
func keptOfCallbacks(ctx context.Context, hooks Webhooks, answer string) (map[string]any, string, error) {
	switch answer {
	case "endpoint":
		value, err := hooks.Endpoints.Get(ctx, "whe_1")
		if err != nil {
			return nil, "", err
		}
		return map[string]any{
			"id": value.ID, "url": orNull(value.URL), "description": orNull(value.Description),
			"events": append([]string{}, value.Events...), "enabled": value.Enabled, "created_at": orNull(value.CreatedAt),
			"updated_at": orNull(value.UpdatedAt), "secret": orNull(value.Secret),
			"previous_secret_expires_at": orNull(value.PreviousSecretExpiresAt),
		}, value.RequestID, nil
	case "delivery":
		value, err := hooks.Deliveries.Get(ctx, "whd_1")
		if err != nil {
			return nil, "", err
		}
		attempts := []any{}
		for _, each := range value.Attempts {
			attempts = append(attempts, map[string]any{
				"attempt": orNull(each.Attempt), "started_at": secondsOf(each.StartedAt), "ended_at": secondsOf(each.EndedAt),
				"http_status": orNull(each.HTTPStatus), "error": orNull(each.Error),
			})
		}
		return map[string]any{
			"id": value.ID, "event_id": orNull(value.EventID), "type": orNull(value.Type), "task_id": orNull(value.TaskID),
			"endpoint_id": orNull(value.EndpointID), "url": orNull(value.URL), "status": orNull(value.Status),
			"created_at": secondsOf(value.CreatedAt), "next_attempt_at": secondsOf(value.NextAttemptAt),
			"http_status": orNull(value.HTTPStatus), "error": orNull(value.Error), "attempts": attempts,
		}, value.RequestID, nil
	case "events":
		value, err := hooks.Events(ctx, nil)
		if err != nil {
			return nil, "", err
		}
		rows := []any{}
		for _, each := range value.Data {
			row := map[string]any{"id": each.ID, "type": orNull(each.Type), "created_at": secondsOf(each.CreatedAt), "task": nil}
			if each.Task != nil {
				row["task"] = each.Task.ID
			}
			rows = append(rows, row)
		}
		return map[string]any{"data": rows, "has_more": value.HasMore, "next": orNull(value.Next)}, value.RequestID, nil
	case "secret":
		value, err := hooks.GetSecret(ctx)
		if err != nil {
			return nil, "", err
		}
		return map[string]any{
			"secret": orNull(value.Secret), "created_at": orNull(value.CreatedAt),
			"previous_secret_expires_at": orNull(value.PreviousSecretExpiresAt),
		}, value.RequestID, nil
	}
	return nil, "", fmt.Errorf("no such answer: %s", answer)
}
