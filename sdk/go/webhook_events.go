package meshapi

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"time"
)

// ListEventsParams says which part of the feed is wanted; nil asks for its beginning.
type ListEventsParams struct {
	// After is the id of an event, or the Next of the answer before. Default: from the oldest that is kept.
	After string
	// Limit is the size of a page, 1 to 200; the server's default is 50.
	Limit *int
}

// TaskEvent is the end of a task. It decodes as leniently as VideoTaskResponse.
type TaskEvent struct {
	ID string `json:"id"`
	// Type is "video.generation.succeeded" or "video.generation.failed"; newer servers may say others.
	Type      string    `json:"type"`
	CreatedAt time.Time `json:"created_at"`
	// Task is what its callback tells, nil where the event tells of none.
	Task *VideoTaskResponse `json:"task"`
	// Raw is the event as it came, for members that are newer than this package.
	Raw json.RawMessage `json:"-"`
}

// TaskEventList is events, oldest first. Next is what to give as After to go on, now or later.
type TaskEventList struct {
	Data      []TaskEvent `json:"data"`
	HasMore   bool        `json:"has_more"`
	Next      string      `json:"next"`
	RequestID string      `json:"request_id,omitempty"`
}

// UnmarshalJSON reads leniently; only what is no JSON object is an error.
func (e *TaskEvent) UnmarshalJSON(data []byte) error { return readWhole(data, e) }

func (e *TaskEvent) read(members object, raw json.RawMessage) {
	*e = TaskEvent{
		ID:        members.text("id"),
		Type:      members.text("type"),
		CreatedAt: members.instant("created_at"),
		Raw:       raw,
	}
	var task VideoTaskResponse
	if task.UnmarshalJSON(members.get("task")) == nil {
		e.Task = &task
	}
}

// UnmarshalJSON reads leniently; rows that are no objects are passed over.
func (l *TaskEventList) UnmarshalJSON(data []byte) error { return readWhole(data, l) }

func (l *TaskEventList) read(members object, _ json.RawMessage) {
	*l = TaskEventList{
		Data:      readRows[TaskEvent](members.get("data")),
		HasMore:   members.isTrue("has_more"),
		Next:      members.text("next"),
		RequestID: members.text("request_id"),
	}
}

func (l *TaskEventList) broughtBy(requestID string) { l.RequestID = firstOf(l.RequestID, requestID) }

// Events returns what happened behind the event After, oldest first. Give the Next of one answer as After of the
// following call, and no callback is ever lost.
func (w Webhooks) Events(ctx context.Context, params *ListEventsParams, opts ...Option) (*TaskEventList, error) {
	var pairs query
	if params != nil {
		pairs = pairs.behind(params.After, params.Limit)
	}
	return ask[TaskEventList](ctx, w.connection, call{method: http.MethodGet, path: eventsPath, pairs: pairs}, opts)
}

// IterEvents walks through the events behind After to the newest, oldest first. A page is fetched when the loop gets to
// it; give the ID of the last event as After of the next walk. After an error the walk ends.
func (w Webhooks) IterEvents(
	ctx context.Context, params *ListEventsParams, opts ...Option,
) iter.Seq2[*TaskEvent, error] {
	var selected ListEventsParams
	if params != nil {
		selected = *params
	}
	fetch := func(after string) (*TaskEventList, error) {
		return w.Events(ctx, &ListEventsParams{After: after, Limit: selected.Limit}, opts...)
	}
	return walkRows(selected.After, fetch, func(page *TaskEventList) ([]TaskEvent, string) {
		if !page.HasMore || len(page.Data) == 0 {
			return page.Data, ""
		}
		return page.Data, firstOf(page.Next, page.Data[len(page.Data)-1].ID)
	})
}
