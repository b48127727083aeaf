package meshapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Config says where a client goes and how it behaves. The zero value takes all from the environment and the defaults.
type Config struct {
	// BaseURL is the server, with or without /v1. Default: MESHAPI_BASE_URL, else https://api.meshapi.ai.
	BaseURL string
	// Token is the API key. Default: MESHAPI_API_KEY, else MESHAPI_TOKEN.
	Token string
	// HTTPClient sends the requests. Default: one with a larger pool of connections than http.DefaultClient, shared by
	// all clients of the process. Its own Timeout, if set, also bounds streams and downloads.
	HTTPClient *http.Client
	// Timeout bounds each attempt, and in downloads each silence. Default: one minute; negative: none.
	Timeout time.Duration
	// MaxRetries is how often a call is repeated. Default: 2.
	MaxRetries *int
	// Retry says how long is waited between repetitions.
	Retry RetryPolicy
	// WebhookSecret checks callbacks. Default: MESHAPI_WEBHOOK_SECRET.
	WebhookSecret string
	// Logger hears of each request (Info) and each wait (Debug), never of a key, a prompt or the query of a URL.
	// Default: standard error if MESHAPI_LOG is "info" or "debug", else none.
	Logger *slog.Logger
}

// String shows no secret.
func (c Config) String() string { return fmt.Sprintf("meshapi.Config(%q)", withoutUser(c.BaseURL)) }

// GoString shows no secret, either.
func (c Config) GoString() string { return c.String() }

// Client is the entrance. The zero value is a client of the environment's settings, which it reads anew at each call.
type Client struct {
	Videos   Videos
	Models   Models
	Webhooks Webhooks
	Usage    Usage
}

// New makes a client. If the configuration cannot work, each call returns the error that NewClient would have returned.
func New(config Config) *Client {
	connection := connect(config)
	return &Client{
		Videos: Videos{connection},
		Models: Models{connection},
		Webhooks: Webhooks{
			Secret:     config.WebhookSecret,
			Endpoints:  WebhookEndpoints{connection},
			Deliveries: WebhookDeliveries{connection},
			connection: connection,
		},
		Usage: Usage{connection},
	}
}

// NewClient is New for those who want to know of a wrong configuration (ErrConfiguration) at once.
func NewClient(config Config) (*Client, error) {
	client := New(config)
	if _, err := client.Videos.connection.ready(); err != nil {
		return nil, err
	}
	return client, nil
}
