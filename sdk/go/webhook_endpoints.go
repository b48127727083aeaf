package meshapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
)

// WebhookEndpoints is the URLs that are told of every task that ends, or of those with certain ends.
type WebhookEndpoints struct {
	connection *connection
}

// WebhookEndpointParams is what an endpoint is made of. What is unset is the server's default in Create, and stays as it
// is in Update.
type WebhookEndpointParams struct {
	// URL is an http(s) URL without a login. Create needs it.
	URL string
	// Events are "video.generation.succeeded" and "video.generation.failed"; empty and not nil means all.
	Events      []string
	Description *string
	// Enabled tells whether it is told of anything. Default: true.
	Enabled *bool
}

// body writes what is set.
func (p WebhookEndpointParams) body() []byte {
	fields := map[string]any{}
	if p.URL != "" {
		fields["url"] = p.URL
	}
	if p.Events != nil {
		fields["events"] = p.Events
	}
	if p.Description != nil {
		fields["description"] = *p.Description
	}
	if p.Enabled != nil {
		fields["enabled"] = *p.Enabled
	}
	encoded, _ := encode(fields) // texts and truth values, which JSON has
	return encoded
}

// WebhookEndpoint is a registered URL. It decodes as leniently as VideoTaskResponse.
type WebhookEndpoint struct {
	ID          string `json:"id"`
	URL         string `json:"url"`
	Description string `json:"description"`
	// Events are those it is told of; none means all.
	Events  []string `json:"events"`
	Enabled bool     `json:"enabled"`
	// CreatedAt and UpdatedAt are Unix seconds.
	CreatedAt int64 `json:"created_at"`
	UpdatedAt int64 `json:"updated_at"`
	// Secret is in the answers of Create and Rotate only.
	Secret string `json:"secret,omitempty"`
	// PreviousSecretExpiresAt is until when the secret before signs, too; Unix seconds, 0 when there is none.
	PreviousSecretExpiresAt int64 `json:"previous_secret_expires_at,omitempty"`

	RequestID string `json:"request_id,omitempty"`
	// Raw is the endpoint as it came, with its secret, for members that are newer than this package.
	Raw json.RawMessage `json:"-"`
}

// WebhookEndpointList is all registered URLs, oldest first.
type WebhookEndpointList struct {
	Data      []WebhookEndpoint `json:"data"`
	HasMore   bool              `json:"has_more"`
	RequestID string            `json:"request_id,omitempty"`
}

// WebhookEndpointDeleted is word that a URL was removed.
type WebhookEndpointDeleted struct {
	ID        string `json:"id"`
	Deleted   bool   `json:"deleted"`
	RequestID string `json:"request_id,omitempty"`
}

// String shows no secret.
func (e WebhookEndpoint) String() string {
	return fmt.Sprintf("meshapi.WebhookEndpoint(%s %s)", e.ID, withoutUser(e.URL))
}

// GoString shows no secret, either.
func (e WebhookEndpoint) GoString() string { return e.String() }

// LogValue keeps the secret out of structured logs.
func (e WebhookEndpoint) LogValue() slog.Value { return slog.StringValue(e.String()) }

// UnmarshalJSON reads leniently; only what is no JSON object is an error.
func (e *WebhookEndpoint) UnmarshalJSON(data []byte) error { return readWhole(data, e) }

func (e *WebhookEndpoint) read(members object, raw json.RawMessage) {
	*e = WebhookEndpoint{
		ID:                      members.text("id"),
		URL:                     members.text("url"),
		Description:             members.text("description"),
		Events:                  members.texts("events"),
		Enabled:                 members.isTrue("enabled"),
		CreatedAt:               members.moment("created_at"),
		UpdatedAt:               members.moment("updated_at"),
		Secret:                  members.text("secret"),
		PreviousSecretExpiresAt: members.moment("previous_secret_expires_at"),
		RequestID:               members.text("request_id"),
		Raw:                     raw,
	}
}

func (e *WebhookEndpoint) broughtBy(requestID string) { e.RequestID = firstOf(e.RequestID, requestID) }

// UnmarshalJSON reads leniently; rows that are no objects are passed over.
func (l *WebhookEndpointList) UnmarshalJSON(data []byte) error { return readWhole(data, l) }

func (l *WebhookEndpointList) read(members object, _ json.RawMessage) {
	*l = WebhookEndpointList{
		Data:      readRows[WebhookEndpoint](members.get("data")),
		HasMore:   members.isTrue("has_more"),
		RequestID: members.text("request_id"),
	}
}

func (l *WebhookEndpointList) broughtBy(requestID string) {
	l.RequestID = firstOf(l.RequestID, requestID)
	for index := range l.Data {
		l.Data[index].broughtBy(l.RequestID)
	}
}

// UnmarshalJSON reads leniently; only what is no JSON object is an error.
func (d *WebhookEndpointDeleted) UnmarshalJSON(data []byte) error { return readWhole(data, d) }

func (d *WebhookEndpointDeleted) read(members object, _ json.RawMessage) {
	*d = WebhookEndpointDeleted{
		ID: members.text("id"), Deleted: members.isTrue("deleted"), RequestID: members.text("request_id"),
	}
}

func (d *WebhookEndpointDeleted) broughtBy(requestID string) {
	d.RequestID = firstOf(d.RequestID, requestID)
}

// Create registers a URL; the answer has its Secret, this once. It is never sent twice: look before you repeat.
func (w WebhookEndpoints) Create(
	ctx context.Context, params WebhookEndpointParams, opts ...Option,
) (*WebhookEndpoint, error) {
	wanted := call{method: http.MethodPost, body: params.body(), repeat: repeatNever}
	return onWebhook[WebhookEndpoint](ctx, w.connection, wanted, opts, "endpoints")
}

// List returns all of them, oldest first.
func (w WebhookEndpoints) List(ctx context.Context, opts ...Option) (*WebhookEndpointList, error) {
	return onWebhook[WebhookEndpointList](ctx, w.connection, call{method: http.MethodGet}, opts, "endpoints")
}

// Get returns one of them, without its secret.
func (w WebhookEndpoints) Get(ctx context.Context, endpointID string, opts ...Option) (*WebhookEndpoint, error) {
	return onWebhook[WebhookEndpoint](ctx, w.connection, call{method: http.MethodGet}, opts, "endpoints", endpointID)
}

// Update changes what is set; what is on its way keeps its URL.
func (w WebhookEndpoints) Update(
	ctx context.Context, endpointID string, params WebhookEndpointParams, opts ...Option,
) (*WebhookEndpoint, error) {
	wanted := call{method: http.MethodPatch, body: params.body()}
	return onWebhook[WebhookEndpoint](ctx, w.connection, wanted, opts, "endpoints", endpointID)
}

// Delete removes it; what is on its way there is dead.
func (w WebhookEndpoints) Delete(
	ctx context.Context, endpointID string, opts ...Option,
) (*WebhookEndpointDeleted, error) {
	wanted := call{method: http.MethodDelete, repeat: repeatNever}
	return onWebhook[WebhookEndpointDeleted](ctx, w.connection, wanted, opts, "endpoints", endpointID)
}

// Test sends a test event: a task that never was, in a real delivery.
func (w WebhookEndpoints) Test(ctx context.Context, endpointID string, opts ...Option) (*WebhookDelivery, error) {
	wanted := call{method: http.MethodPost, repeat: repeatNever}
	return onWebhook[WebhookDelivery](ctx, w.connection, wanted, opts, "endpoints", endpointID, "test")
}

// Rotate gives it a new Secret, which the answer has; for a day callbacks are signed with the old one, too.
func (w WebhookEndpoints) Rotate(ctx context.Context, endpointID string, opts ...Option) (*WebhookEndpoint, error) {
	wanted := call{method: http.MethodPost, repeat: repeatNever}
	return onWebhook[WebhookEndpoint](ctx, w.connection, wanted, opts, "endpoints", endpointID, "rotate")
}

// onWebhook performs a call on something of callbacks, named by the parts of its path.
func onWebhook[Value any, Pointer result[Value]](
	ctx context.Context, c *connection, wanted call, opts []Option, parts ...string,
) (*Value, error) {
	path, err := webhookPath(parts...)
	if err != nil {
		return nil, err
	}
	wanted.path = path
	return ask[Value, Pointer](ctx, c, wanted, opts)
}
