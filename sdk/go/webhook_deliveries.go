package meshapi

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strconv"
	"time"
)

// The statuses of a delivery.
const (
	DeliveryPending   = "pending"
	DeliveryDelivered = "delivered"
	DeliveryDead      = "dead"
)

// WebhookDeliveries is the delivery log: what was posted where, how often, and what came back.
type WebhookDeliveries struct {
	connection *connection
}

// ListWebhookDeliveriesParams says which deliveries are wanted. Fields that are unset are left out; nil asks for all.
type ListWebhookDeliveriesParams struct {
	// Status is DeliveryPending, DeliveryDelivered or DeliveryDead.
	Status     string
	EndpointID string
	EventID    string
	TaskID     string
	// Limit is the size of a page, 1 to 200; the server's default is 50.
	Limit *int
	// After is the id of a delivery: the page begins behind it.
	After string
}

func (p *ListWebhookDeliveriesParams) query() query {
	if p == nil {
		return nil
	}
	var pairs query
	for _, each := range [][2]string{
		{"status", p.Status}, {"endpoint_id", p.EndpointID}, {"event_id", p.EventID}, {"task_id", p.TaskID},
	} {
		if each[1] != "" {
			pairs = pairs.with(each[0], each[1])
		}
	}
	return pairs.behind(p.After, p.Limit)
}

// behind asks for a page behind a row.
func (q query) behind(after string, limit *int) query {
	if limit != nil {
		q = q.with("limit", strconv.Itoa(*limit))
	}
	if after != "" {
		q = q.with("after", after)
	}
	return q
}

// WebhookDelivery is one event on its way to one URL. It decodes as leniently as VideoTaskResponse.
type WebhookDelivery struct {
	ID string `json:"id"`
	// EventID is the webhook-id of every attempt.
	EventID string `json:"event_id"`
	Type    string `json:"type"`
	TaskID  string `json:"task_id"`
	// EndpointID is "" for the callback URL of the single task.
	EndpointID string `json:"endpoint_id"`
	URL        string `json:"url"`
	// Status is DeliveryPending, DeliveryDelivered or DeliveryDead.
	Status string `json:"status"`
	// CreatedAt and NextAttemptAt have the precision of the server, milliseconds; the zero time when there is none.
	CreatedAt     time.Time `json:"created_at"`
	NextAttemptAt time.Time `json:"next_attempt_at"`
	// HTTPStatus is the last answer, 0 when there was none; Error is why it is not delivered.
	HTTPStatus int              `json:"http_status"`
	Error      string           `json:"error"`
	Attempts   []WebhookAttempt `json:"attempts"`

	RequestID string `json:"request_id,omitempty"`
	// Raw is the delivery as it came, for members that are newer than this package.
	Raw json.RawMessage `json:"-"`
}

// WebhookAttempt is one POST. Without an EndedAt it goes on, or what became of it is not known.
type WebhookAttempt struct {
	Attempt    int       `json:"attempt"`
	StartedAt  time.Time `json:"started_at"`
	EndedAt    time.Time `json:"ended_at"`
	HTTPStatus int       `json:"http_status"`
	Error      string    `json:"error"`
}

// WebhookDeliveryList is a page of the delivery log, newest first.
type WebhookDeliveryList struct {
	Data      []WebhookDelivery `json:"data"`
	HasMore   bool              `json:"has_more"`
	RequestID string            `json:"request_id,omitempty"`
}

// UnmarshalJSON reads leniently; only what is no JSON object is an error.
func (d *WebhookDelivery) UnmarshalJSON(data []byte) error { return readWhole(data, d) }

func (d *WebhookDelivery) read(members object, raw json.RawMessage) {
	*d = WebhookDelivery{
		ID:            members.text("id"),
		EventID:       members.text("event_id"),
		Type:          members.text("type"),
		TaskID:        members.text("task_id"),
		EndpointID:    members.text("endpoint_id"),
		URL:           members.text("url"),
		Status:        members.text("status"),
		CreatedAt:     members.instant("created_at"),
		NextAttemptAt: members.instant("next_attempt_at"),
		HTTPStatus:    valueOf(members.integer("http_status")),
		Error:         members.text("error"),
		Attempts:      readRows[WebhookAttempt](members.get("attempts")),
		RequestID:     members.text("request_id"),
		Raw:           raw,
	}
}

func (d *WebhookDelivery) broughtBy(requestID string) { d.RequestID = firstOf(d.RequestID, requestID) }

func (a *WebhookAttempt) read(members object, _ json.RawMessage) {
	*a = WebhookAttempt{
		Attempt:    valueOf(members.integer("attempt")),
		StartedAt:  members.instant("started_at"),
		EndedAt:    members.instant("ended_at"),
		HTTPStatus: valueOf(members.integer("http_status")),
		Error:      members.text("error"),
	}
}

// UnmarshalJSON reads leniently; rows that are no objects are passed over.
func (l *WebhookDeliveryList) UnmarshalJSON(data []byte) error { return readWhole(data, l) }

func (l *WebhookDeliveryList) read(members object, _ json.RawMessage) {
	*l = WebhookDeliveryList{
		Data:      readRows[WebhookDelivery](members.get("data")),
		HasMore:   members.isTrue("has_more"),
		RequestID: members.text("request_id"),
	}
}

func (l *WebhookDeliveryList) broughtBy(requestID string) {
	l.RequestID = firstOf(l.RequestID, requestID)
	for index := range l.Data {
		l.Data[index].broughtBy(l.RequestID)
	}
}

// next is the cursor of the page that follows, "" when there is none.
func (l *WebhookDeliveryList) next() string {
	if !l.HasMore || len(l.Data) == 0 {
		return ""
	}
	return l.Data[len(l.Data)-1].ID
}

// List returns a page of the log, newest first. nil asks for all.
func (w WebhookDeliveries) List(
	ctx context.Context, params *ListWebhookDeliveriesParams, opts ...Option,
) (*WebhookDeliveryList, error) {
	wanted := call{method: http.MethodGet, pairs: params.query()}
	return onWebhook[WebhookDeliveryList](ctx, w.connection, wanted, opts, "deliveries")
}

// Iter walks through all deliveries that params select, newest first; nil selects all. A page is fetched when the loop
// gets to it. After an error the walk ends.
func (w WebhookDeliveries) Iter(
	ctx context.Context, params *ListWebhookDeliveriesParams, opts ...Option,
) iter.Seq2[*WebhookDelivery, error] {
	var selected ListWebhookDeliveriesParams
	if params != nil {
		selected = *params
	}
	fetch := func(after string) (*WebhookDeliveryList, error) {
		asked := selected
		asked.After = after
		return w.List(ctx, &asked, opts...)
	}
	return walkRows(selected.After, fetch, func(page *WebhookDeliveryList) ([]WebhookDelivery, string) {
		return page.Data, page.next()
	})
}

// Get returns one delivery with every attempt at it.
func (w WebhookDeliveries) Get(ctx context.Context, deliveryID string, opts ...Option) (*WebhookDelivery, error) {
	return onWebhook[WebhookDelivery](ctx, w.connection, call{method: http.MethodGet}, opts, "deliveries", deliveryID)
}

// Redeliver posts it again now, also a dead one, under the same webhook-id.
func (w WebhookDeliveries) Redeliver(
	ctx context.Context, deliveryID string, opts ...Option,
) (*WebhookDelivery, error) {
	wanted := call{method: http.MethodPost}
	return onWebhook[WebhookDelivery](ctx, w.connection, wanted, opts, "deliveries", deliveryID, "redeliver")
}
