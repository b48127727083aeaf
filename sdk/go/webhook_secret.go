package meshapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
)

// WebhookSecret is what signs the callbacks to the callback URLs of single tasks. Nothing prints it.
type WebhookSecret struct {
	// Secret is "whsec_" and base64.
	Secret string `json:"secret"`
	// CreatedAt is Unix seconds.
	CreatedAt int64 `json:"created_at"`
	// PreviousSecretExpiresAt is until when the secret before signs, too; Unix seconds, 0 when there is none.
	PreviousSecretExpiresAt int64  `json:"previous_secret_expires_at,omitempty"`
	RequestID               string `json:"request_id,omitempty"`
}

// String shows no secret.
func (s WebhookSecret) String() string { return "meshapi.WebhookSecret" }

// GoString shows no secret, either.
func (s WebhookSecret) GoString() string { return s.String() }

// LogValue keeps the secret out of structured logs.
func (s WebhookSecret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// UnmarshalJSON reads leniently; only what is no JSON object is an error.
func (s *WebhookSecret) UnmarshalJSON(data []byte) error { return readWhole(data, s) }

func (s *WebhookSecret) read(members object, _ json.RawMessage) {
	*s = WebhookSecret{
		Secret:                  members.text("secret"),
		CreatedAt:               members.moment("created_at"),
		PreviousSecretExpiresAt: members.moment("previous_secret_expires_at"),
		RequestID:               members.text("request_id"),
	}
}

func (s *WebhookSecret) broughtBy(requestID string) { s.RequestID = firstOf(s.RequestID, requestID) }

// GetSecret tells what signs the callbacks to the callback URLs of single tasks: it is what Secret is to be.
func (w Webhooks) GetSecret(ctx context.Context, opts ...Option) (*WebhookSecret, error) {
	return onWebhook[WebhookSecret](ctx, w.connection, call{method: http.MethodGet}, opts, "secret")
}

// RotateSecret makes a new one; for a day callbacks are signed with the old one, too. It is never sent twice.
func (w Webhooks) RotateSecret(ctx context.Context, opts ...Option) (*WebhookSecret, error) {
	wanted := call{method: http.MethodPost, repeat: repeatNever}
	return onWebhook[WebhookSecret](ctx, w.connection, wanted, opts, "secret", "rotate")
}
