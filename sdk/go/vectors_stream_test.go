package meshapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"testing"
)

func TestServerSentEvents(t *testing.T) {
	type given struct {
		Text  string `json:"text"`
		CutAt []int  `json:"cut_at"`
	}
	type event struct {
		Event string `json:"event"`
		Data  string `json:"data"`
		ID    string `json:"id"`
	}
	type want struct {
		Events            []event  `json:"events"`
		RetryMilliseconds *float64 `json:"retry_milliseconds"`
	}
	runSuite(t, "sse", func(t *testing.T, given given, want want) {
		check := func(how string, chunks ...string) {
			t.Helper()
			parser := eventParser{}
			events := []event{}
			for _, chunk := range chunks {
				for _, each := range parser.feed([]byte(chunk)) {
					events = append(events, event{each.name, each.data, each.id})
				}
			}
			if !reflect.DeepEqual(events, want.Events) {
				t.Errorf("%s: events are %q, want %q", how, events, want.Events)
			}
			if (parser.retry == nil) != (want.RetryMilliseconds == nil) ||
				(parser.retry != nil && float64(parser.retry.Milliseconds()) != *want.RetryMilliseconds) {
				t.Errorf("%s: the reconnection time is %v", how, parser.retry)
			}
		}
		check("whole", given.Text)
		for cut := range len(given.Text) + 1 {
			check("cut at "+strconv.Itoa(cut), given.Text[:cut], given.Text[cut:])
		}
		if len(given.CutAt) > 0 && slices.Max(given.CutAt) > len(given.Text) {
			t.Errorf("a cut beyond the %d bytes", len(given.Text))
		}
		var bytes []string
		for index := range len(given.Text) {
			bytes = append(bytes, given.Text[index:index+1])
		}
		check("byte by byte", bytes...)
	})
}

func TestPaging(t *testing.T) {
	type given struct {
		Query [][2]string       `json:"query"`
		Pages []json.RawMessage `json:"pages"`
		Take  *int              `json:"take"`
	}
	type want struct {
		Requests [][][2]string `json:"requests"`
		IDs      []string      `json:"ids"`
	}
	runSuite(t, "paging", func(t *testing.T, given given, want want) {
		var answers []prepared
		for _, page := range given.Pages {
			answers = append(answers, prepared{status: http.StatusOK, body: string(page)})
		}
		server := newRecorder(t, answers...)
		params := map[string]any{}
		for _, pair := range given.Query {
			params[pair[0]] = pair[1]
			if number, err := strconv.ParseFloat(pair[1], 64); err == nil {
				params[pair[0]] = number
			}
		}
		ids := []string{}
		for task, err := range server.client(t).Videos.Iter(testContext(t), listParams(t, params)) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, task.ID)
			if given.Take != nil && len(ids) == *given.Take {
				break
			}
		}
		if !slices.Equal(ids, want.IDs) {
			t.Errorf("walked over %v, want %v", ids, want.IDs)
		}
		var asked [][][2]string
		for _, request := range server.all() {
			asked = append(asked, pairsOf(t, request.query))
		}
		if !reflect.DeepEqual(asked, want.Requests) {
			t.Errorf("asked %v\nwant  %v", asked, want.Requests)
		}
	})
}
