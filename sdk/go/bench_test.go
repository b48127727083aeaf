package meshapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	meshapi "github.com/aifiesta/meshapi-go-sdk"
)

// The same calls with nothing but net/http, over the same server and an equal pool of connections, show what this package
// costs: go test -run '^$' -bench . -benchmem

const benchTask = `{"id":"task_01K5A9","status":"succeeded","model":"mesh/diorama-1","error":null,"content":{"video_url":` +
	`"https://files.example/v/1.mp4?expires=1785672000&signature=abcdefghijklmnop","last_frame_url":null},"created_at":1785585600,` +
	`"updated_at":1785585660,"completed_at":1785585660,"expires_at":null,"progress":1,"queue_position":null,"seed":42,` +
	`"resolution":"720p","ratio":"16:9","duration":5,"frames":120,"framespersecond":24,"generate_audio":true,` +
	`"safety_identifier":null,"priority":0,"draft":false,"draft_task_id":null,"service_tier":"default",` +
	`"execution_expires_after":172800,"usage":{"completion_tokens":1,"total_tokens":1},"cost_usd":"0","metadata":{"shot":"7"}}`

type bench struct {
	url  string
	http *http.Client
	sdk  *meshapi.Client
}

func newBench(b *testing.B) bench {
	b.Helper()
	page := `{"object":"list","data":[` + strings.Repeat(benchTask+",", 19) + benchTask + `],"has_more":false,"total":20,"limit":20,"offset":0}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		body := benchTask
		if request.Method == http.MethodGet && strings.HasSuffix(request.URL.Path, "/generations") {
			body = page
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	b.Cleanup(server.Close)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 100
	client := &http.Client{Transport: transport}
	return bench{server.URL, client, meshapi.New(meshapi.Config{BaseURL: server.URL, Token: "rsk_bench", HTTPClient: client})}
}

// bare is a request with net/http alone; the answer is decoded into the same type where there is one.
func (k bench) bare(b *testing.B, method, path string, body []byte, into any) {
	request, err := http.NewRequestWithContext(context.Background(), method, k.url+path, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer rsk_bench")
	response, err := k.http.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	read, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err == nil && into != nil {
		err = json.Unmarshal(read, into)
	}
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatal(response.Status, err)
	}
}

// plainTask is what one would write without this package: a struct of the fields one needs.
type plainTask struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Content *struct {
		VideoURL string `json:"video_url"`
	} `json:"content"`
}

func BenchmarkRetrieve(b *testing.B) {
	k := newBench(b)
	b.Run("net/http", func(b *testing.B) {
		for range b.N {
			k.bare(b, http.MethodGet, "/v1/video/generations/task_01K5A9", nil, &plainTask{})
		}
	})
	b.Run("meshapi", func(b *testing.B) {
		for range b.N {
			if _, err := k.sdk.Videos.Retrieve(context.Background(), "task_01K5A9"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRetrieveFrom50Goroutines(b *testing.B) {
	k := newBench(b)
	inParallel := func(b *testing.B, call func()) {
		b.SetParallelism(25) // times GOMAXPROCS, which is 2 on the machine of the figures
		b.RunParallel(func(next *testing.PB) {
			for next.Next() {
				call()
			}
		})
	}
	b.Run("net/http", func(b *testing.B) {
		inParallel(b, func() { k.bare(b, http.MethodGet, "/v1/video/generations/task_01K5A9", nil, &plainTask{}) })
	})
	b.Run("meshapi", func(b *testing.B) {
		inParallel(b, func() {
			if _, err := k.sdk.Videos.Retrieve(context.Background(), "task_01K5A9"); err != nil {
				b.Error(err)
			}
		})
	})
}

func BenchmarkGenerate(b *testing.B) {
	k := newBench(b)
	params := meshapi.VideoGenerationParams{
		Model:   "mesh/diorama-1",
		Content: []meshapi.VideoContentItem{{Type: "text", Text: meshapi.String(strings.Repeat("A serene mountain lake at sunrise. ", 20))}},
	}
	b.Run("net/http", func(b *testing.B) {
		for range b.N {
			body := fmt.Appendf(nil, `{"model":%q,"content":[{"type":"text","text":%q}]}`, params.Model, *params.Content[0].Text)
			k.bare(b, http.MethodPost, "/v1/video/generations", body, &plainTask{})
		}
	})
	b.Run("meshapi", func(b *testing.B) {
		for range b.N {
			if _, err := k.sdk.Videos.Generate(context.Background(), params); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkList20(b *testing.B) {
	k := newBench(b)
	b.Run("net/http", func(b *testing.B) {
		for range b.N {
			k.bare(b, http.MethodGet, "/v1/video/generations", nil, &struct {
				Data []plainTask `json:"data"`
			}{})
		}
	})
	b.Run("meshapi", func(b *testing.B) {
		for range b.N {
			if _, err := k.sdk.Videos.List(context.Background(), nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body := []byte(benchTask)
	b.Run("a struct of three fields", func(b *testing.B) {
		for range b.N {
			if err := json.Unmarshal(body, &plainTask{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("meshapi, every field", func(b *testing.B) {
		for range b.N {
			if err := (&meshapi.VideoTaskResponse{}).UnmarshalJSON(body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
