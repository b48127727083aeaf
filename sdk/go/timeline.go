package meshapi

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"time"
)

// Timeline is the history of one task, oldest first. It decodes as leniently as VideoTaskResponse.
type Timeline struct {
	Object string          `json:"object"`
	ID     string          `json:"id"`
	Data   []TimelineEntry `json:"data"`

	RequestID string `json:"request_id,omitempty"`
	// Raw is the timeline as it came, for members that are newer than this package.
	Raw json.RawMessage `json:"-"`
}

// TimelineEntry is one attempt of one step.
type TimelineEntry struct {
	// Kind is "created", "render", "submit", "reconcile", "poll", "fetch", "cancel" or "ended"; newer servers may say
	// others. A "poll" sums up all looks of one submission, Polls of them.
	Kind    string
	Attempt *int
	// StartedAt and EndedAt have the precision of the server, milliseconds; zero while they are unknown. An attempt
	// without an end goes on.
	StartedAt time.Time
	EndedAt   time.Time
	Upstream  string
	Model     string
	Result    string
	Message   string
	Polls     *int
}

// UnmarshalJSON reads leniently; only what is no JSON object is an error.
func (t *Timeline) UnmarshalJSON(data []byte) error {
	members, err := readObject(data)
	if err != nil {
		return err
	}
	*t = Timeline{
		Object:    members.text("object"),
		ID:        members.text("id"),
		Data:      []TimelineEntry{},
		RequestID: members.text("request_id"),
		Raw:       bytes.Clone(data),
	}
	for _, row := range elements(members.get("data")) {
		if entry, ok := split(row); ok {
			t.Data = append(t.Data, TimelineEntry{
				Kind:      entry.text("kind"),
				Attempt:   entry.integer("attempt"),
				StartedAt: entry.instant("started_at"),
				EndedAt:   entry.instant("ended_at"),
				Upstream:  entry.text("upstream"),
				Model:     entry.text("model"),
				Result:    entry.text("result"),
				Message:   entry.text("message"),
				Polls:     entry.integer("polls"),
			})
		}
	}
	return nil
}

// instant is a time from Unix seconds with a fraction or from an ISO 8601 text, the zero time when there is none.
func (o object) instant(name string) time.Time {
	raw := o.get(name)
	if value, ok := readNumber(raw); ok && math.Abs(value) < 1<<43 {
		return time.UnixMicro(int64(math.Round(value * 1e6))).UTC()
	}
	value, _ := readText(raw)
	moment, _ := readMoment(value)
	return moment.UTC()
}

// Timeline tells what happened to a task, step by step: GET /v1/video/generations/{task_id}/timeline.
func (v Videos) Timeline(ctx context.Context, taskID string, opts ...Option) (*Timeline, error) {
	met, err := v.onTask(ctx, http.MethodGet, taskID, "timeline", repeatAlways, opts)
	if err != nil {
		return nil, err
	}
	timeline := &Timeline{}
	if err := decode(met, timeline); err != nil {
		return nil, err
	}
	timeline.RequestID = firstOf(timeline.RequestID, met.requestID())
	return timeline, nil
}
