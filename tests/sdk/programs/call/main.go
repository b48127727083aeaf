// One call, told as JSON: `call create MODEL MARK` or `call wait MODEL MARK`. The server is the environment's.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	meshapi "github.com/aifiesta/meshapi-go-sdk"
)

// outcome is what the test reads.
type outcome struct {
	ID             string   `json:"id,omitempty"`
	Status         string   `json:"status,omitempty"`
	VideoURL       string   `json:"video_url,omitempty"`
	Seen           []string `json:"seen,omitempty"`
	Error          string   `json:"error,omitempty"`
	Code           string   `json:"code,omitempty"`
	HTTPStatus     int      `json:"http_status,omitempty"`
	IsConnection   bool     `json:"is_connection,omitempty"`
	TaskMayExist   bool     `json:"task_may_exist,omitempty"`
	IdempotencyKey string   `json:"idempotency_key,omitempty"`
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	client := meshapi.New(meshapi.Config{})
	params := meshapi.VideoGenerationParams{
		Model:   os.Args[2],
		Content: []meshapi.VideoContentItem{{Type: "text", Text: meshapi.String("A lake")}},
	}
	if len(os.Args) > 3 {
		params.Metadata = map[string]string{"mark": os.Args[3]}
	}
	told, err := call(ctx, client, os.Args[1], params)
	if err != nil {
		told = describe(told, err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		panic(err)
	}
}

func call(ctx context.Context, client *meshapi.Client, what string, params meshapi.VideoGenerationParams) (outcome, error) {
	created, err := client.Videos.Generate(ctx, params)
	if err != nil || what == "create" {
		if err != nil {
			return outcome{}, err
		}
		return outcome{ID: created.ID, Status: created.Status}, nil
	}
	told := outcome{ID: created.ID}
	for task, err := range client.Videos.Watch(ctx, created.ID, meshapi.WithPollInterval(20*time.Millisecond)) {
		if err != nil {
			return told, err
		}
		told.Seen = append(told.Seen, task.Status)
	}
	task, err := client.Videos.Wait(ctx, created.ID, meshapi.WithPollInterval(20*time.Millisecond))
	if task != nil {
		told.Status, told.VideoURL = task.Status, task.Content.VideoURL()
	}
	return told, err
}

func describe(told outcome, err error) outcome {
	told.Error = err.Error()
	told.IsConnection = errors.Is(err, meshapi.ErrConnection)
	var known *meshapi.MeshAPIError
	if errors.As(err, &known) {
		told.Code, told.HTTPStatus = known.Code, known.Status
		told.TaskMayExist, told.IdempotencyKey = known.TaskMayExist, known.IdempotencyKey
	}
	return told
}
