package meshapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"testing"
	"time"
)

func TestTaskDecoding(t *testing.T) {
	type given struct {
		Body json.RawMessage `json:"body"`
	}
	runSuite(t, "task-decoding", func(t *testing.T, given given, want map[string]any) {
		server := newRecorder(t, prepared{status: http.StatusOK, body: string(given.Body)})
		task, err := server.client(t).Videos.Retrieve(testContext(t), "t")
		if want["undecodable"] == true {
			if !errors.Is(err, ErrUndecodable) {
				t.Fatalf("got %v, %v, want ErrUndecodable", task, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		told := asWire(t, task, given.Body)
		for name, wanted := range want {
			if !reflect.DeepEqual(told[name], wanted) {
				t.Errorf("%s is %#v, want %#v", name, told[name], wanted)
			}
		}
	})
}

// asWire is a task in the words of the contract: what Go says by zero values is null there.
func asWire(t *testing.T, task *VideoTaskResponse, body []byte) map[string]any {
	t.Helper()
	var created CreateVideoGenerationResponse
	if err := json.Unmarshal(body, &created); err != nil {
		t.Fatal(err)
	}
	return normal(t, map[string]any{
		"id": task.ID, "status": task.Status, "terminal": task.IsTerminal(),
		"model": orNull(task.Model), "error": errorAsWire(task.Error), "content": contentAsWire(task.Content),
		"video_url": orNull(task.Content.VideoURL()), "last_frame_url": orNull(task.Content.LastFrameURL()),
		"created_at": orNull(task.CreatedAt), "updated_at": orNull(task.UpdatedAt),
		"completed_at": orNull(task.CompletedAt), "expires_at": orNull(task.ExpiresAt),
		"progress": task.Progress, "queue_position": task.QueuePosition, "seed": task.Seed,
		"resolution": orNull(task.Resolution), "ratio": orNull(task.Ratio), "duration": task.Duration,
		"frames": task.Frames, "framespersecond": task.FramesPerSecond, "generate_audio": task.GenerateAudio,
		"safety_identifier": orNull(task.SafetyIdentifier), "priority": task.Priority, "draft": task.Draft,
		"draft_task_id": orNull(task.DraftTaskID), "service_tier": orNull(task.ServiceTier),
		"execution_expires_after": task.ExecutionExpiresAfter, "usage": task.Usage, "cost_usd": orNull(task.CostUSD),
		"metadata": task.Metadata, "charged": orNull(task.Charged), "plan": task.Plan, "request_id": orNull(task.RequestID), "unsupported_params": created.UnsupportedParams,
	}).(map[string]any)
}

func orNull[Value comparable](value Value) any {
	var zero Value
	if value == zero {
		return nil
	}
	return value
}

func errorAsWire(fault *VideoTaskError) any {
	if fault == nil {
		return nil
	}
	return map[string]any{"code": orNull(fault.Code), "message": orNull(fault.Message)}
}

func contentAsWire(list VideoTaskContentList) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

var kinds = map[string]error{
	"bad_request": ErrBadRequest, "unauthorized": ErrUnauthorized, "spend_limit": ErrSpendLimit,
	"forbidden": ErrForbidden, "not_found": ErrNotFound, "conflict": ErrConflict,
	"request_too_large": ErrRequestTooLarge, "unprocessable": ErrUnprocessable, "rate_limited": ErrRateLimited,
	"server_error": ErrServer, "upstream_failed": ErrUpstreamFailed, "unavailable": ErrUnavailable,
	"gateway_timeout": ErrGatewayTimeout,
}

func TestErrorDecoding(t *testing.T) {
	type given struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
		Now     int64             `json:"now"`
	}
	type want struct {
		Kind       string           `json:"kind"`
		Status     int              `json:"status"`
		Code       string           `json:"code"`
		Message    string           `json:"message"`
		RequestID  *string          `json:"request_id"`
		Details    []map[string]any `json:"details"`
		Provider   any              `json:"provider_error"`
		RetryAfter *float64         `json:"retry_after_seconds"`
	}
	runSuite(t, "error-decoding", func(t *testing.T, given given, want want) {
		server := newRecorder(t, prepared{given.Status, given.Headers, given.Body})
		client := server.client(t)
		if given.Now != 0 {
			client.Videos.connection.clock.now = func() time.Time { return time.Unix(given.Now, 0) }
		}
		_, err := client.Videos.Retrieve(testContext(t), "t")
		var told *MeshAPIError
		if !errors.As(err, &told) {
			t.Fatalf("got %v, want a *MeshAPIError", err)
		}
		for kind, sentinel := range kinds {
			if errors.Is(err, sentinel) != (kind == want.Kind) {
				t.Errorf("errors.Is says %v for %s, want the kind %s", errors.Is(err, sentinel), kind, want.Kind)
			}
		}
		if _, known := kinds[want.Kind]; !known && want.Kind != "other" {
			t.Errorf("unknown kind %q", want.Kind)
		}
		got := []any{told.Status, told.Code, told.Message, orNull(told.RequestID), told.ProviderError, orNull(told.RetryAfter.Seconds())}
		wanted := []any{want.Status, want.Code, want.Message, want.RequestID, want.Provider, want.RetryAfter}
		if !reflect.DeepEqual(normal(t, got), normal(t, wanted)) {
			t.Errorf("got  %v\nwant %v", normal(t, got), normal(t, wanted))
		}
		details := []map[string]any{}
		for _, detail := range told.Details {
			loc := detail.Loc
			if loc == nil {
				loc = []any{}
			}
			details = append(details, map[string]any{"type": detail.Type, "loc": loc, "msg": detail.Msg})
		}
		if !reflect.DeepEqual(normal(t, details), normal(t, want.Details)) {
			t.Errorf("details are %v, want %v", details, want.Details)
		}
	})
}

func TestTheCodesAssumedAreThoseOfTheContract(t *testing.T) {
	var file struct {
		Assumed struct {
			ByStatus map[int]string `json:"by_status"`
			Below500 string         `json:"below_500"`
			From500  string         `json:"from_500"`
		} `json:"assumed"`
		HTTP []struct {
			Status int    `json:"status"`
			Code   string `json:"code"`
		} `json:"http"`
	}
	readLeniently(t, contract+"/errors.json", &file)
	if !reflect.DeepEqual(assumedCodes, file.Assumed.ByStatus) {
		t.Errorf("assumed codes are %v, the contract says %v", assumedCodes, file.Assumed.ByStatus)
	}
	if assumedCode(418, false) != file.Assumed.Below500 || assumedCode(599, false) != file.Assumed.From500 {
		t.Error("the codes for other statuses are not those of the contract")
	}
	unnamed := []int{http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType} // of the kind "other"
	for _, each := range file.HTTP {
		if errorsByStatus[each.Status] == nil && each.Status != unnamed[0] && each.Status != unnamed[1] {
			t.Errorf("no Err value for %d %s", each.Status, each.Code)
		}
	}
}

func TestTheTerminalStatusesAreThoseOfTheContract(t *testing.T) {
	type status struct {
		Name     string `json:"name"`
		Terminal bool   `json:"terminal"`
	}
	var file struct {
		Statuses []status `json:"statuses"`
		Hosted   []status `json:"hosted_aliases"`
	}
	readLeniently(t, contract+"/states.json", &file)
	if len(file.Statuses) != 4 || len(file.Hosted) != 3 {
		t.Fatalf("the contract has %d statuses and %d aliases", len(file.Statuses), len(file.Hosted))
	}
	for _, each := range append(file.Statuses, file.Hosted...) {
		if task := (&VideoTaskResponse{Status: each.Name}); task.IsTerminal() != each.Terminal {
			t.Errorf("%s: terminal is %v, the contract says %v", each.Name, task.IsTerminal(), each.Terminal)
		}
	}
}

func TestQuoteDecoding(t *testing.T) {
	type given struct {
		Body json.RawMessage `json:"body"`
	}
	runSuite(t, "quote-decoding", func(t *testing.T, given given, want map[string]any) {
		server := newRecorder(t, prepared{http.StatusOK, map[string]string{"X-Request-Id": "req_1"}, string(given.Body)})
		quote, err := server.client(t).Videos.Quote(testContext(t), VideoGenerationParams{Model: "m/x"})
		if want["undecodable"] == true {
			if !errors.Is(err, ErrUndecodable) {
				t.Fatalf("got %v, %v, want ErrUndecodable", quote, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := []any{}
		for _, line := range quote.Lines {
			lines = append(lines, map[string]any{
				"item": line.Item, "quantity": orNull(line.Quantity), "unit": orNull(line.Unit),
				"unit_price_usd": orNull(line.UnitPriceUSD), "cost_usd": orNull(line.CostUSD),
			})
		}
		checkAtLeast(t, map[string]any{
			"model": orNull(quote.Model), "cost_usd": orNull(quote.CostUSD), "reason": orNull(quote.Reason),
			"lines": lines, "unsupported_params": quote.UnsupportedParams,
		}, want)
		if quote.RequestID != "req_1" {
			t.Errorf("the request is %q", quote.RequestID)
		}
	})
}

func TestTimelineDecoding(t *testing.T) {
	type given struct {
		Body json.RawMessage `json:"body"`
	}
	runSuite(t, "timeline-decoding", func(t *testing.T, given given, want map[string]any) {
		server := newRecorder(t, prepared{http.StatusOK, map[string]string{"X-Request-Id": "req_1"}, string(given.Body)})
		timeline, err := server.client(t).Videos.Timeline(testContext(t), "t")
		if want["undecodable"] == true {
			if !errors.Is(err, ErrUndecodable) {
				t.Fatalf("got %v, %v, want ErrUndecodable", timeline, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		rows := []any{}
		for _, entry := range timeline.Data {
			rows = append(rows, map[string]any{
				"kind": entry.Kind, "attempt": entry.Attempt, "polls": entry.Polls,
				"started_at": secondsOf(entry.StartedAt), "ended_at": secondsOf(entry.EndedAt),
				"upstream": orNull(entry.Upstream), "model": orNull(entry.Model),
				"result": orNull(entry.Result), "message": orNull(entry.Message),
			})
		}
		checkAtLeast(t, map[string]any{"id": timeline.ID, "data": rows}, want)
		if timeline.RequestID != "req_1" {
			t.Errorf("the request is %q", timeline.RequestID)
		}
	})
}

// secondsOf is Unix seconds with their fraction, nil for the zero time.
func secondsOf(moment time.Time) any {
	if moment.IsZero() {
		return nil
	}
	return float64(moment.UnixMicro()) / 1e6
}

// checkAtLeast compares what want names.
func checkAtLeast(t *testing.T, told, want map[string]any) {
	t.Helper()
	told = normal(t, told).(map[string]any)
	for name, wanted := range want {
		if !reflect.DeepEqual(told[name], wanted) {
			t.Errorf("%s is %#v, want %#v", name, told[name], wanted)
		}
	}
}
