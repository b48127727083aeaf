package meshapi_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	meshapi "github.com/aifiesta/meshapi-go-sdk"
)

// exampleServer stands in for a server of Mesh API.
func exampleServer() *httptest.Server {
	routes := http.NewServeMux()
	const path = "/v1/video/generations"
	task := func(status string) string {
		content := "null"
		if status == "succeeded" {
			content = `{"video_url":"https://files.example/task_1.mp4","last_frame_url":null}`
		}
		return fmt.Sprintf(`{"id":"task_1","status":%q,"model":"mesh/diorama-1","content":%s}`, status, content)
	}
	answer := func(pattern, body string) {
		routes.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	}
	answer("POST "+path, task("pending"))
	answer("GET "+path+"/task_1", task("succeeded"))
	answer("GET "+path+"/task_1/content", "the video")
	answer("GET "+path, `{"data":[`+task("succeeded")+`],"has_more":false,"total":1}`)
	routes.HandleFunc("GET "+path+"/task_1/events", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for id, status := range []string{"pending", "running", "succeeded"} {
			fmt.Fprintf(w, "id: %d\nevent: task\ndata: %s\n\n", id, task(status))
		}
	})
	answer("POST /v1/video/quote", `{"model":"mesh/diorama-1","cost_usd":"0.25","lines":[{"item":"video","cost_usd":"0.25"}]}`)
	answer("GET "+path+"/task_1/timeline", `{"data":[{"kind":"created","started_at":1785585600,"ended_at":1785585600},`+
		`{"kind":"render","attempt":1,"started_at":1785585600.5,"ended_at":1785585603,"result":"succeeded"}]}`)
	answer("GET /v1/models", `[{"id":"mesh/diorama-1","name":"Diorama","is_free":true}]`)
	answer("GET /v1/usage", `{"from":"2026-11-01","to":"2026-11-30","data":[{"day":null,"key_id":null,"model":"team/lake-1",`+
		`"tasks":3,"cost_usd":"1.2","held_usd":"0.4"}],"total":{"tasks":3,"cost_usd":"1.2","held_usd":"0.4"}}`)
	answer("GET /v1/events", `{"data":[{"id":"evt_1","type":"video.generation.succeeded","task":`+task("succeeded")+`}],"has_more":false}`)
	answer("POST /v1/webhooks/endpoints", `{"id":"whe_1","url":"https://shop.example/told","enabled":true,"secret":"whsec_ZXhhbXBsZQ=="}`)
	routes.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"error":{"code":"not_found","message":"No such task."},"request_id":"req_1"}`)
	})
	return httptest.NewServer(routes)
}

func Example() {
	server := exampleServer()
	defer server.Close()

	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})
	ctx := context.Background()

	task, err := client.Videos.GenerateAndWait(ctx, meshapi.VideoGenerationParams{
		Model:   "mesh/diorama-1",
		Content: []meshapi.VideoContentItem{{Type: "text", Text: meshapi.String("A lake at sunrise")}},
	}, meshapi.WithMaxWait(10*time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(task.ID, task.Status)

	var video bytes.Buffer
	result, err := client.Videos.Download(ctx, task.ID, &video)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Size, "bytes")
	// Output:
	// task_1 succeeded
	// 9 bytes
}

func ExampleNewClient() {
	_, err := meshapi.NewClient(meshapi.Config{BaseURL: "localhost:8080", Token: "rsk_example"})
	fmt.Println(err)
	// Output: meshapi: configuration: the base URL "localhost:8080" is none; expected one like https://api.meshapi.ai
}

func ExampleVideos_Generate() {
	server := exampleServer()
	defer server.Close()
	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})

	task, err := client.Videos.Generate(context.Background(), meshapi.VideoGenerationParams{
		Model: "byteplus/dreamina-seedance-2-0",
		Content: []meshapi.VideoContentItem{
			{Type: "text", Text: meshapi.String("The boat drifts off")},
			{Type: "image_url", ImageURL: meshapi.String("https://example.com/boat.png"), Role: meshapi.String("first_frame")},
		},
		Duration:   meshapi.Int(5),
		Resolution: meshapi.String("720p"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(task.ID, task.Status, task.UnsupportedParams)
	// Output: task_1 pending []
}

func ExampleVideos_Quote() {
	server := exampleServer()
	defer server.Close()
	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})

	params := meshapi.VideoGenerationParams{Model: "mesh/diorama-1", MaxCostUSD: meshapi.String("0.50")}
	quote, err := client.Videos.Quote(context.Background(), params)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(quote.CostUSD, "USD")
	// Output: 0.25 USD
}

func ExampleVideos_Timeline() {
	server := exampleServer()
	defer server.Close()
	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})

	timeline, err := client.Videos.Timeline(context.Background(), "task_1")
	if err != nil {
		log.Fatal(err)
	}
	for _, entry := range timeline.Data {
		fmt.Println(entry.Kind, entry.EndedAt.Sub(entry.StartedAt))
	}
	// Output:
	// created 0s
	// render 2.5s
}

func ExampleImageBytes() {
	picture, err := meshapi.ImageBytes([]byte("\x89PNG\r\n\x1a\n..."))
	if err != nil {
		log.Fatal(err)
	}
	picture.Role = meshapi.String("first_frame")
	fmt.Println(picture.Type, (*picture.ImageURL)[:22])
	// Output: image_url data:image/png;base64,
}

func ExampleVideos_Wait() {
	server := exampleServer()
	defer server.Close()
	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	task, err := client.Videos.Wait(ctx, "task_1")

	var failed *meshapi.TaskFailedError
	var late *meshapi.WaitTimeoutError
	switch {
	case errors.As(err, &failed):
		fmt.Println("no result:", failed)
	case errors.As(err, &late):
		fmt.Println("still under way, wait again for", late.TaskID)
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println(task.Content.VideoURL())
	}
	// Output: https://files.example/task_1.mp4
}

func ExampleVideos_Watch() {
	server := exampleServer()
	defer server.Close()
	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})

	for task, err := range client.Videos.Watch(context.Background(), "task_1", meshapi.WithMaxWait(time.Hour)) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(task.Status)
	}
	// Output:
	// pending
	// running
	// succeeded
}

func ExampleVideos_Iter() {
	server := exampleServer()
	defer server.Close()
	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})

	for task, err := range client.Videos.Iter(context.Background(), &meshapi.ListVideoGenerationsParams{
		Status: []string{meshapi.StatusSucceeded, meshapi.StatusFailed},
	}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(task.ID, task.Status)
	}
	// Output: task_1 succeeded
}

func ExampleModels_List() {
	server := exampleServer()
	defer server.Close()
	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})

	models, err := client.Models.List(context.Background(), &meshapi.ListModelsParams{Type: "video"})
	if err != nil {
		log.Fatal(err)
	}
	for _, model := range models {
		fmt.Println(model.ID, model.IsFree)
	}
	// Output: mesh/diorama-1 true
}

func ExampleUsage_Get() {
	server := exampleServer()
	defer server.Close()
	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})

	report, err := client.Usage.Get(context.Background(), &meshapi.UsageParams{
		From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		To:   time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC),
		By:   []string{"model"},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, entry := range report.Data {
		fmt.Println(entry.Model, entry.Tasks, entry.CostUSD)
	}
	fmt.Println("held:", report.Total.HeldUSD)
	// Output:
	// team/lake-1 3 1.2
	// held: 0.4
}

func ExampleWebhookEndpoints_Create() {
	server := exampleServer()
	defer server.Close()
	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})

	endpoint, err := client.Webhooks.Endpoints.Create(context.Background(), meshapi.WebhookEndpointParams{
		URL: "https://shop.example/told",
	})
	if err != nil {
		log.Fatal(err)
	}
	hooks := meshapi.Webhooks{Secret: endpoint.Secret} // keep it: it is told this once
	fmt.Println(endpoint, hooks)
	// Output: meshapi.WebhookEndpoint(whe_1 https://shop.example/told) meshapi.Webhooks
}

func ExampleWebhooks_IterEvents() {
	server := exampleServer()
	defer server.Close()
	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})

	last := "" // the id of the last event that was dealt with
	for event, err := range client.Webhooks.IterEvents(context.Background(), &meshapi.ListEventsParams{After: last}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Type, event.Task.ID)
		last = event.ID
	}
	fmt.Println("go on behind", last)
	// Output:
	// video.generation.succeeded task_1
	// go on behind evt_1
}

func ExampleMeshAPIError() {
	server := exampleServer()
	defer server.Close()
	client := meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_example"})

	_, err := client.Videos.Retrieve(context.Background(), "task_2")
	var told *meshapi.MeshAPIError
	if errors.As(err, &told) {
		fmt.Println(told.Status, told.Code, told.RequestID)
	}
	fmt.Println(errors.Is(err, meshapi.ErrNotFound))
	// Output:
	// 404 not_found req_1
	// true
}

func ExampleWebhooks_Verify() {
	hooks := meshapi.Webhooks{Secret: "whsec_ZXhhbXBsZQ=="}
	handler := http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, 1<<20))
		if err != nil {
			return
		}
		task, err := hooks.Verify(body, request.Header)
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Println(task.ID, task.Status)
	})

	// What the server sends:
	body := `{"id":"task_1","status":"succeeded"}`
	callback := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte("example"))
	fmt.Fprintf(mac, "evt_1.%s.%s", stamp, body)
	callback.Header.Set("webhook-id", "evt_1")
	callback.Header.Set("webhook-timestamp", stamp)
	callback.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	handler.ServeHTTP(httptest.NewRecorder(), callback)
	// Output: task_1 succeeded
}
