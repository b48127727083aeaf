package meshapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// transportFunc is a transport made of a function.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

const accepted = `{"id":"task_1","status":"pending"}`

func TestBaseURL(t *testing.T) {
	type given struct {
		BaseURL string `json:"base_url"`
	}
	type want struct {
		Generations string `json:"generations"`
		Error       bool   `json:"error"`
	}
	runSuite(t, "base-url", func(t *testing.T, given given, want want) {
		var sent string
		transport := transportFunc(func(request *http.Request) (*http.Response, error) {
			sent = request.URL.String()
			return respond(http.StatusOK, nil, accepted), nil
		})
		client, err := NewClient(Config{
			BaseURL: given.BaseURL, Token: "rsk_test", HTTPClient: &http.Client{Transport: transport},
		})
		if want.Error {
			if !errors.Is(err, ErrConfiguration) {
				t.Errorf("got %v, want ErrConfiguration", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Videos.Generate(testContext(t), VideoGenerationParams{}); err != nil {
			t.Fatal(err)
		}
		if sent != want.Generations {
			t.Errorf("sent to %s, want %s", sent, want.Generations)
		}
	})
}

func TestPathEscaping(t *testing.T) {
	type given struct {
		TaskID  *string `json:"task_id"`
		ModelID *string `json:"model_id"`
	}
	type want struct {
		Path  string `json:"path"`
		Error bool   `json:"error"`
	}
	runSuite(t, "path-escaping", func(t *testing.T, given given, want want) {
		server := newRecorder(t, prepared{status: http.StatusOK, body: accepted})
		client := server.client(t)
		var err error
		if given.TaskID != nil {
			_, err = client.Videos.Retrieve(testContext(t), *given.TaskID)
		} else {
			_, err = client.Models.Get(testContext(t), *given.ModelID)
		}
		if want.Error {
			if !errors.Is(err, ErrInvalidID) || len(server.all()) > 0 {
				t.Errorf("got %v after %d requests, want ErrInvalidID after none", err, len(server.all()))
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := server.last(t).path; got != want.Path {
			t.Errorf("asked for %s, want %s", got, want.Path)
		}
	})
}

func TestRequestEncoding(t *testing.T) {
	type given struct {
		Params json.RawMessage `json:"params"`
	}
	type want struct {
		Body any `json:"body"`
	}
	runSuite(t, "request-encoding", func(t *testing.T, given given, want want) {
		var params VideoGenerationParams
		if err := json.Unmarshal(given.Params, &params); err != nil {
			t.Fatal(err)
		}
		if got := bodySent(t, params); !reflect.DeepEqual(got, want.Body) {
			t.Errorf("sent %v\nwant %v", got, want.Body)
		}
	})
}

// bodySent is the parsed body of a create.
func bodySent(t *testing.T, params VideoGenerationParams) any {
	t.Helper()
	server := newRecorder(t, prepared{status: http.StatusOK, body: accepted})
	if _, err := server.client(t).Videos.Generate(testContext(t), params); err != nil {
		t.Fatal(err)
	}
	var body any
	if err := json.Unmarshal(server.last(t).body, &body); err != nil {
		t.Fatal(err)
	}
	return body
}

func TestEveryFieldOfTheParamsHasItsNameOnTheWire(t *testing.T) {
	got := bodySent(t, VideoGenerationParams{
		Model: "m/x", Content: []VideoContentItem{{Type: "text", Text: String("x")}},
		Duration: Int(5), Frames: Int(120), Resolution: String("1080p"), Ratio: String("16:9"), Seed: Int(7),
		GenerateAudio: Bool(true), ReturnLastFrame: Bool(true), CameraFixed: Bool(true), Watermark: Bool(false),
		Draft: Bool(true), CallbackURL: String("https://a.example/hook"), ServiceTier: String("flex"),
		ExecutionExpiresAfter: Int(3600), Priority: Int(9), SafetyIdentifier: String("u-1"),
		NegativePrompt: String("rain"), GuidanceScale: Float64(7.5), NumInferenceSteps: Int(30),
		OutputFormat: String("mp4"), OmniReferenceTaskType: String("edit"), Metadata: map[string]string{"shot": "7"},
		Extra: map[string]any{"max_cost": "1.50", "ratio": nil},
	})
	want := map[string]any{
		"model": "m/x", "content": []any{map[string]any{"type": "text", "text": "x"}},
		"duration": 5.0, "frames": 120.0, "resolution": "1080p", "seed": 7.0, "generate_audio": true,
		"return_last_frame": true, "camera_fixed": true, "watermark": false, "draft": true,
		"callback_url": "https://a.example/hook", "service_tier": "flex", "execution_expires_after": 3600.0,
		"priority": 9.0, "safety_identifier": "u-1", "negative_prompt": "rain", "guidance_scale": 7.5,
		"num_inference_steps": 30.0, "output_format": "mp4", "omni_reference_task_type": "edit",
		"metadata": map[string]any{"shot": "7"}, "max_cost": "1.50",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("sent %v\nwant %v", got, want)
	}
}

func TestEveryAcceptedContentItemCanBeSent(t *testing.T) {
	type given struct {
		Content json.RawMessage `json:"content"`
	}
	type want struct {
		Items []map[string]any `json:"items"`
		Error *struct {
			Status   int      `json:"status"`
			Code     string   `json:"code"`
			Loc      []any    `json:"loc"`
			Mentions []string `json:"mentions"`
		} `json:"error"`
	}
	runSuite(t, "content-items", func(t *testing.T, given given, want want) {
		if want.Error != nil {
			return // what is refused is the server's to judge
		}
		var params VideoGenerationParams
		if err := json.Unmarshal(given.Content, &params.Content); err != nil {
			t.Fatal(err)
		}
		got := bodySent(t, params).(map[string]any)["content"]
		if wanted := inObjectForm(t, given.Content); !reflect.DeepEqual(got, wanted) {
			t.Errorf("sent %v\nwant %v", got, wanted)
		}
	})
}

// inObjectForm is items as given, without nulls and with media as objects.
func inObjectForm(t *testing.T, content []byte) any {
	t.Helper()
	var items []map[string]any
	if err := json.Unmarshal(content, &items); err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		for name, value := range item {
			url, isText := value.(string)
			if value == nil {
				delete(item, name)
			} else if isText && strings.HasSuffix(name, "_url") {
				item[name] = map[string]any{"url": url}
			}
		}
	}
	return normal(t, items)
}

func TestListQuery(t *testing.T) {
	type given struct {
		Params map[string]any `json:"params"`
	}
	type want struct {
		Query [][2]string `json:"query"`
	}
	runSuite(t, "list-query", func(t *testing.T, given given, want want) {
		server := newRecorder(t, prepared{status: http.StatusOK, body: `{"data":[]}`})
		if _, err := server.client(t).Videos.List(testContext(t), listParams(t, given.Params)); err != nil {
			t.Fatal(err)
		}
		if got := pairsOf(t, server.last(t).query); !reflect.DeepEqual(got, want.Query) {
			t.Errorf("asked %v, want %v", got, want.Query)
		}
	})
}

// listParams translates the contract's words; a null is a field left alone.
func listParams(t *testing.T, given map[string]any) *ListVideoGenerationsParams {
	t.Helper()
	params := &ListVideoGenerationsParams{}
	for name, value := range given {
		switch name {
		case "limit":
			params.Limit = Int(int(value.(float64)))
		case "offset":
			params.Offset = Int(int(value.(float64)))
		case "after":
			params.After = value.(string)
		case "status":
			params.Status = textsOf(value)
		case "model":
			params.Model = textsOf(value)
		case "created_after":
			params.CreatedAfter = momentOf(t, value)
		case "created_before":
			params.CreatedBefore = momentOf(t, value)
		case "metadata":
			params.Metadata = map[string]string{}
			for key, each := range value.(map[string]any) {
				params.Metadata[key] = each.(string)
			}
		default:
			t.Fatalf("unknown parameter %s", name)
		}
	}
	return params
}

func textsOf(value any) []string {
	switch given := value.(type) {
	case string:
		return []string{given}
	case []any:
		var texts []string
		for _, each := range given {
			texts = append(texts, each.(string))
		}
		return texts
	}
	return nil
}

func momentOf(t *testing.T, value any) time.Time {
	t.Helper()
	if seconds, ok := value.(float64); ok {
		return time.Unix(int64(seconds), 0).UTC()
	}
	moment, err := time.Parse(time.RFC3339, value.(string))
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

// pairsOf splits a query, keeping its order.
func pairsOf(t *testing.T, raw string) [][2]string {
	t.Helper()
	pairs := [][2]string{}
	for _, part := range strings.FieldsFunc(raw, func(character rune) bool { return character == '&' }) {
		name, value, _ := strings.Cut(part, "=")
		var pair [2]string
		for index, text := range []string{name, value} {
			plain, err := url.PathUnescape(text)
			if err != nil {
				t.Fatal(err)
			}
			pair[index] = plain
		}
		pairs = append(pairs, pair)
	}
	return pairs
}
