package meshapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"testing"
	"time"
)

func TestUsageDecoding(t *testing.T) {
	type given struct {
		Body json.RawMessage `json:"body"`
	}
	runSuite(t, "usage-decoding", func(t *testing.T, given given, want map[string]any) {
		server := newRecorder(t, prepared{http.StatusOK, map[string]string{"X-Request-Id": "req_1"}, string(given.Body)})
		report, err := server.client(t).Usage.Get(testContext(t), nil)
		if want["undecodable"] == true {
			if !errors.Is(err, ErrUndecodable) {
				t.Fatalf("got %v, %v, want ErrUndecodable", report, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		rows := []any{}
		for _, entry := range report.Data {
			row := figuresAsWire(entry.UsageFigures)
			row["day"], row["key_id"], row["model"] = orNull(entry.Day), orNull(entry.KeyID), orNull(entry.Model)
			rows = append(rows, row)
		}
		checkAtLeast(t, map[string]any{
			"from": orNull(report.From), "to": orNull(report.To), "data": rows, "total": figuresAsWire(report.Total),
		}, want)
		if report.RequestID != "req_1" || len(report.Raw) == 0 {
			t.Errorf("the request is %q, the body %q", report.RequestID, report.Raw)
		}
	})
}

func figuresAsWire(figures UsageFigures) map[string]any {
	return map[string]any{
		"tasks": figures.Tasks, "cost_usd": orNull(figures.CostUSD), "held_usd": orNull(figures.HeldUSD),
		"unknown_usd": orNull(figures.UnknownUSD), "unknown_tasks": figures.UnknownTasks,
	}
}

func TestUsageQuery(t *testing.T) {
	type given struct {
		Params struct {
			From any `json:"from"`
			To   any `json:"to"`
			By   any `json:"by"`
		} `json:"params"`
	}
	type want struct {
		Query [][2]string `json:"query"`
	}
	runSuite(t, "usage-query", func(t *testing.T, given given, want want) {
		params := &UsageParams{From: dayOf(t, given.Params.From), To: dayOf(t, given.Params.To), By: dimensionsOf(t, given.Params.By)}
		if got := [][2]string(params.query()); len(got)+len(want.Query) > 0 && !reflect.DeepEqual(got, want.Query) {
			t.Errorf("got %v, want %v", got, want.Query)
		}
	})
}

// dayOf is a day of the contract as Go has it: a moment, here at the other end of the world.
func dayOf(t *testing.T, given any) time.Time {
	t.Helper()
	switch value := given.(type) {
	case nil:
		return time.Time{}
	case float64:
		return time.Unix(int64(value), 0).In(time.FixedZone("Kiritimati", 14*3600))
	case string:
		day, err := time.Parse(time.DateOnly, value)
		if err != nil {
			t.Fatal(err)
		}
		return day
	}
	t.Fatalf("no day: %v", given)
	return time.Time{}
}

func dimensionsOf(t *testing.T, given any) []string {
	t.Helper()
	if one, ok := given.(string); ok {
		return []string{one}
	}
	encoded, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	return readOrZero[[]string](encoded)
}

func TestUsageIsAskedForByDaysAndAgainWhenItsAnswerIsLost(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusBadGateway},
		prepared{status: http.StatusOK, body: `{"total":{"tasks":2,"cost_usd":"0.5"}}`})
	client := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test", Retry: RetryPolicy{Initial: 1}})
	report, err := client.Usage.Get(testContext(t), &UsageParams{
		From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), By: []string{"model", "day"},
	}, WithQuery("beta", "1"))
	if err != nil || report.Total.Tasks != 2 || report.Total.CostUSD != "0.5" {
		t.Errorf("got %+v, %v", report, err)
	}
	if all := server.all(); len(all) != 2 || all[1].uri != "/v1/usage?from=2026-11-01&by=model&by=day&beta=1" {
		t.Errorf("asked %+v", all)
	}
}

func TestATableIsInTheResponseAndNoReport(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: "model,tasks\r\nm/x,2\r\n"})
	var response Response
	_, err := server.client(t).Usage.Get(testContext(t), nil, WithQuery("format", "csv"), WithResponse(&response))
	if !errors.Is(err, ErrUndecodable) || string(response.Body) != "model,tasks\r\nm/x,2\r\n" {
		t.Errorf("got %v, %q", err, response.Body)
	}
}
