package meshapi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	meshapi "github.com/aifiesta/meshapi-go-sdk"
)

// liveServer is a server of ours that runs already: MESHAPI_TEST_BASE_URL, MESHAPI_TEST_KEY, and MESHAPI_TEST_MODEL, a
// quick model of it. Without the first two, the tests that need one are skipped.
func liveServer(t *testing.T) (baseURL, key, model string) {
	t.Helper()
	baseURL, key = os.Getenv("MESHAPI_TEST_BASE_URL"), os.Getenv("MESHAPI_TEST_KEY")
	if baseURL == "" || key == "" {
		t.Skip("needs MESHAPI_TEST_BASE_URL and MESHAPI_TEST_KEY")
	}
	if model = os.Getenv("MESHAPI_TEST_MODEL"); model == "" {
		model = "mesh/diorama-1"
	}
	return baseURL, key, model
}

func TestTheSeedsSnippetsRunVerbatimAgainstALiveServer(t *testing.T) {
	baseURL, key, _ := liveServer(t)
	t.Parallel()
	binary := seed(t)
	printed, err := run(t, binary, "generate", baseURL, key)
	if err != nil || !strings.HasPrefix(printed, "Task ID: ") || !strings.HasSuffix(printed, "Status: succeeded\n") {
		t.Errorf("generate printed %q, %v", printed, err)
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(printed, "Task ID: "), "\n")
	printed, err = run(t, binary, "list", baseURL, key)
	if err != nil || !strings.Contains(printed, " total tasks\n") || !strings.Contains(printed, id+" succeeded\n") {
		t.Errorf("list printed %q, %v", printed, err)
	}
	printed, err = run(t, binary, "retrieve", baseURL, key) // of "task-id", which no server has
	if err == nil || !strings.Contains(printed, "404 not_found") {
		t.Errorf("retrieve printed %q, %v", printed, err)
	}
}

func TestTheLifeOfATaskAtALiveServer(t *testing.T) {
	baseURL, key, model := liveServer(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	client, err := meshapi.NewClient(meshapi.Config{BaseURL: baseURL, Token: key})
	if err != nil {
		t.Fatal(err)
	}
	params := meshapi.VideoGenerationParams{
		Model:    model,
		Content:  []meshapi.VideoContentItem{{Type: "text", Text: meshapi.String("A serene mountain lake at sunrise")}},
		Metadata: map[string]string{"test": "go"},
	}
	idempotencyKey := meshapi.WithIdempotencyKey("go-live-" + time.Now().Format(time.RFC3339Nano))
	created, err := client.Videos.Generate(ctx, params, idempotencyKey)
	if err != nil {
		t.Fatal(err)
	}
	again, err := client.Videos.Generate(ctx, params, idempotencyKey)
	if err != nil || again.ID != created.ID {
		t.Fatalf("the same key made %v, %v, first %s", again, err, created.ID)
	}

	var seen []string
	for task, err := range client.Videos.Watch(ctx, created.ID) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, task.Status)
	}
	if len(seen) == 0 || seen[len(seen)-1] != meshapi.StatusSucceeded {
		t.Errorf("saw %v", seen)
	}
	task, err := client.Videos.Wait(ctx, created.ID)
	if err != nil || task.Metadata["test"] != "go" || task.Content.VideoURL() == "" || task.RequestID == "" {
		t.Fatalf("got %+v, %v", task, err)
	}

	path := filepath.Join(t.TempDir(), "video.mp4")
	result, err := client.Videos.DownloadFile(ctx, created.ID, path)
	if err != nil || !result.Verified {
		t.Fatalf("got %+v, %v", result, err)
	}
	file, err := os.ReadFile(path)
	if err != nil || int64(len(file)) != result.Size || !bytes.Equal(file[4:8], []byte("ftyp")) {
		t.Errorf("the file is no MP4: %d bytes, %v", len(file), err)
	}

	var listed []string
	for each, err := range client.Videos.Iter(ctx, &meshapi.ListVideoGenerationsParams{Limit: meshapi.Int(1), Model: []string{task.Model}}) {
		if err != nil {
			t.Fatal(err)
		}
		if listed = append(listed, each.ID); each.ID == created.ID {
			break
		}
	}
	if !slices.Contains(listed, created.ID) {
		t.Errorf("the list has %v, not %s", listed, created.ID)
	}

	models, err := client.Models.List(ctx, &meshapi.ListModelsParams{Type: "video"})
	if err != nil || len(models) == 0 {
		t.Fatalf("got %v, %v", models, err)
	}
	if one, err := client.Models.Get(ctx, models[0].ID); err != nil || one.ID != models[0].ID {
		t.Errorf("got %+v, %v", one, err)
	}

	if _, err := client.Videos.Cancel(ctx, created.ID); !errors.Is(err, meshapi.ErrConflict) {
		t.Errorf("cancelling an ended task gave %v, want ErrConflict", err)
	}
	if deleted, err := client.Videos.Delete(ctx, created.ID); err != nil || !deleted.Deleted {
		t.Errorf("got %+v, %v", deleted, err)
	}
	if _, err := client.Videos.Retrieve(ctx, created.ID); !errors.Is(err, meshapi.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestALiveServerRefusesInItsEnvelope(t *testing.T) {
	baseURL, key, model := liveServer(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := meshapi.New(meshapi.Config{BaseURL: baseURL, Token: key})
	_, err := client.Videos.Generate(ctx, meshapi.VideoGenerationParams{Model: model})
	var told *meshapi.MeshAPIError
	if !errors.Is(err, meshapi.ErrUnprocessable) || !errors.As(err, &told) || len(told.Details) == 0 || told.RequestID == "" {
		t.Errorf("got %v", err)
	}
	_, err = client.Videos.Retrieve(ctx, "../../models")
	if !errors.Is(err, meshapi.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	_, err = meshapi.New(meshapi.Config{BaseURL: baseURL, Token: "rsk_wrong"}).Videos.List(ctx, nil)
	if !errors.Is(err, meshapi.ErrUnauthorized) {
		t.Errorf("got %v, want ErrUnauthorized", err)
	}
}

func TestWhatALiveServerEndsWithoutAResult(t *testing.T) {
	baseURL, key, _ := liveServer(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := meshapi.New(meshapi.Config{BaseURL: baseURL, Token: key})
	prompt := []meshapi.VideoContentItem{{Type: "text", Text: meshapi.String("x")}}

	_, err := client.Videos.GenerateAndWait(ctx, meshapi.VideoGenerationParams{Model: "sandbox/fails", Content: prompt})
	var failed *meshapi.TaskFailedError
	if !errors.As(err, &failed) || failed.Task.Status != meshapi.StatusFailed || failed.Task.Error == nil {
		t.Errorf("got %v", err)
	}

	stuck, err := client.Videos.Generate(ctx, meshapi.VideoGenerationParams{Model: "sandbox/stuck", Content: prompt})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Videos.Wait(ctx, stuck.ID, meshapi.WithMaxWait(2500*time.Millisecond))
	var late *meshapi.WaitTimeoutError
	if !errors.As(err, &late) || late.Task == nil || late.TaskID != stuck.ID {
		t.Errorf("got %v", err)
	}
	for task, err := range client.Videos.Watch(ctx, stuck.ID) { // by events: there is time enough
		if err != nil {
			t.Fatal(err)
		}
		if !task.IsTerminal() {
			if _, err := client.Videos.Cancel(ctx, stuck.ID); err != nil {
				t.Error(err)
			}
			continue
		}
		if task.Error == nil || task.Error.Code != "cancelled" {
			t.Errorf("ended with %+v", task.Error)
		}
	}
}

func TestTheCallbacksOfALiveServer(t *testing.T) {
	baseURL, key, model := liveServer(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	client := meshapi.New(meshapi.Config{BaseURL: baseURL, Token: key})
	hooks := client.Webhooks
	receiver, callbacks := newReceiver(t)

	made, err := hooks.Endpoints.Create(ctx, meshapi.WebhookEndpointParams{
		URL: receiver.URL + "/first", Events: []string{"video.generation.failed"}, Description: meshapi.String("shop"),
	})
	if err != nil || made.Secret == "" || made.Description != "shop" || !made.Enabled || made.RequestID == "" {
		t.Fatalf("got %v, %v", made, err)
	}
	moved, err := hooks.Endpoints.Update(ctx, made.ID, meshapi.WebhookEndpointParams{URL: receiver.URL + "/told", Events: []string{}})
	if err != nil || moved.Secret != "" || len(moved.Events) != 0 || moved.Description != "shop" {
		t.Fatalf("got %+v, %v", moved, err)
	}
	if found, err := hooks.Endpoints.Get(ctx, made.ID); err != nil || found.URL != receiver.URL+"/told" {
		t.Errorf("got %v, %v", found, err)
	}
	listed, err := hooks.Endpoints.List(ctx)
	if err != nil || !slices.ContainsFunc(listed.Data, func(each meshapi.WebhookEndpoint) bool { return each.ID == made.ID }) {
		t.Errorf("got %v, %v", listed, err)
	}

	task, err := client.Videos.GenerateAndWait(ctx, meshapi.VideoGenerationParams{
		Model: model, Content: []meshapi.VideoContentItem{{Type: "text", Text: meshapi.String("A lake")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	// Other tests make tasks at the same server at the same time.
	told := callbacks.next(ctx, t, func(each callback) bool { return each.tells(made.Secret) == task.ID })
	eventID := told.header.Get("Webhook-Id")

	var seen []string
	for event, err := range hooks.IterEvents(ctx, &meshapi.ListEventsParams{Limit: meshapi.Int(2)}) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Task != nil && event.Task.ID == task.ID {
			seen = append(seen, event.ID)
		}
	}
	if !slices.Equal(seen, []string{eventID}) {
		t.Errorf("the feed has %v, the callback said %s", seen, eventID)
	}
	behind, err := hooks.Events(ctx, &meshapi.ListEventsParams{After: eventID, Limit: meshapi.Int(1)})
	if err != nil || (len(behind.Data) > 0 && behind.Data[0].ID <= eventID) || behind.Next < eventID {
		t.Errorf("got %+v, %v", behind, err)
	}

	var deliveryID string
	for delivery, err := range hooks.Deliveries.Iter(ctx, &meshapi.ListWebhookDeliveriesParams{
		EndpointID: made.ID, TaskID: task.ID, Limit: meshapi.Int(1),
	}) {
		if err != nil || delivery.EventID != eventID || delivery.URL != receiver.URL+"/told" {
			t.Fatalf("got %+v, %v", delivery, err)
		}
		deliveryID = delivery.ID
	}
	if _, err := hooks.Deliveries.Redeliver(ctx, deliveryID); err != nil {
		t.Fatal(err)
	}
	callbacks.next(ctx, t, func(each callback) bool { return each.header.Get("Webhook-Id") == eventID })
	delivery, err := hooks.Deliveries.Get(ctx, deliveryID)
	if err != nil || delivery.TaskID != task.ID || delivery.CreatedAt.IsZero() || len(delivery.Attempts) == 0 {
		t.Errorf("got %+v, %v", delivery, err)
	}

	rotated, err := hooks.Endpoints.Rotate(ctx, made.ID)
	if err != nil || rotated.Secret == "" || rotated.Secret == made.Secret || rotated.PreviousSecretExpiresAt == 0 {
		t.Fatalf("got %v, %v", rotated, err)
	}
	if sent, err := hooks.Endpoints.Test(ctx, made.ID); err != nil || sent.Type != "webhook.test" {
		t.Errorf("got %+v, %v", sent, err)
	}
	// Signed with both for a day.
	callbacks.next(ctx, t, func(each callback) bool { return each.tells(rotated.Secret) != "" && each.tells(made.Secret) != "" })

	if gone, err := hooks.Endpoints.Delete(ctx, made.ID); err != nil || !gone.Deleted || gone.ID != made.ID {
		t.Errorf("got %+v, %v", gone, err)
	}
	if _, err := hooks.Endpoints.Get(ctx, made.ID); !errors.Is(err, meshapi.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if _, err := hooks.Endpoints.Create(ctx, meshapi.WebhookEndpointParams{}); !errors.Is(err, meshapi.ErrUnprocessable) {
		t.Errorf("got %v, want ErrUnprocessable", err)
	}
}

func TestTheSecretOfSingleTasksAtALiveServer(t *testing.T) {
	baseURL, key, _ := liveServer(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	hooks := meshapi.New(meshapi.Config{BaseURL: baseURL, Token: key}).Webhooks
	first, err := hooks.GetSecret(ctx)
	if err != nil || !strings.HasPrefix(first.Secret, "whsec_") || first.CreatedAt == 0 {
		t.Fatalf("got %v, %v", first, err)
	}
	second, err := hooks.RotateSecret(ctx)
	if err != nil || second.Secret == first.Secret || second.PreviousSecretExpiresAt == 0 {
		t.Fatalf("got %v, %v", second, err)
	}
	if again, err := hooks.GetSecret(ctx); err != nil || again.Secret != second.Secret {
		t.Errorf("got %v, %v", again, err)
	}
}

// callback is a request that a receiver got.
type callback struct {
	header http.Header
	body   []byte
}

// tells is the id of the task that the callback tells, "" if it is not signed with the secret.
func (c callback) tells(secret string) string {
	task, err := meshapi.Webhooks{Secret: secret}.Verify(c.body, c.header)
	if err != nil {
		return ""
	}
	return task.ID
}

type callbacks chan callback

func newReceiver(t *testing.T) (*httptest.Server, callbacks) {
	t.Helper()
	received := make(callbacks, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err == nil && request.URL.Path == "/told" {
			received <- callback{request.Header, body}
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	return server, received
}

// next waits for the callback that is wanted and passes over the others.
func (c callbacks) next(ctx context.Context, t *testing.T, wanted func(callback) bool) callback {
	t.Helper()
	for {
		select {
		case each := <-c:
			if wanted(each) {
				return each
			}
		case <-ctx.Done():
			t.Fatal("no such callback came")
		}
	}
}
