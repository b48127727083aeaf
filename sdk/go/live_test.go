package meshapi_test

import (
	"bytes"
	"context"
	"errors"
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
