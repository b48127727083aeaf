package meshapi

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// The statuses of a task (contract/states.json). The last three are words of the hosted service.
const (
	StatusPending   = "pending"
	StatusRunning   = "running"
	StatusSucceeded = "succeeded"
	StatusFailed    = "failed"

	StatusQueued    = "queued"
	StatusExpired   = "expired"
	StatusCancelled = "cancelled"
)

// VideoTaskError says why a task failed. The codes are in contract/errors.json under "task".
type VideoTaskError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// VideoTaskUsage is tokens as the provider counts them.
type VideoTaskUsage struct {
	CompletionTokens *int64 `json:"completion_tokens"`
	TotalTokens      *int64 `json:"total_tokens"`
}

// VideoTaskResponse is a task. Times are Unix seconds and 0 while they are unknown; Duration is seconds; Progress goes
// from 0 to 1; CostUSD is a decimal figure. Strings that are unknown are empty, pointers nil.
//
// It decodes whatever a server sends: members that are absent, null, wrongly typed or unknown are no error.
type VideoTaskResponse struct {
	ID string `json:"id"`
	// Status is "pending", "running", "succeeded" or "failed"; the hosted service has three more.
	Status  string               `json:"status"`
	Model   string               `json:"model"`
	Error   *VideoTaskError      `json:"error"`
	Content VideoTaskContentList `json:"content"`

	CreatedAt     int64    `json:"created_at,omitempty"`
	UpdatedAt     int64    `json:"updated_at,omitempty"`
	CompletedAt   int64    `json:"completed_at,omitempty"`
	ExpiresAt     int64    `json:"expires_at,omitempty"`
	Progress      *float64 `json:"progress,omitempty"`
	QueuePosition *int     `json:"queue_position,omitempty"`

	Seed                  *int64            `json:"seed,omitempty"`
	Resolution            string            `json:"resolution,omitempty"`
	Ratio                 string            `json:"ratio,omitempty"`
	Duration              *int              `json:"duration,omitempty"`
	Frames                *int              `json:"frames,omitempty"`
	FramesPerSecond       *int              `json:"framespersecond,omitempty"`
	GenerateAudio         *bool             `json:"generate_audio,omitempty"`
	SafetyIdentifier      string            `json:"safety_identifier,omitempty"`
	Priority              *int              `json:"priority,omitempty"`
	Draft                 *bool             `json:"draft,omitempty"`
	DraftTaskID           string            `json:"draft_task_id,omitempty"`
	ServiceTier           string            `json:"service_tier,omitempty"`
	ExecutionExpiresAfter *int              `json:"execution_expires_after,omitempty"`
	Usage                 *VideoTaskUsage   `json:"usage,omitempty"`
	CostUSD               string            `json:"cost_usd,omitempty"`
	Metadata              map[string]string `json:"metadata,omitempty"`
	// Charged tells of a failed task whether it has cost anything: "yes", "no" or "unknown".
	Charged string `json:"charged,omitempty"`
	// Plan is how the server means to make the video, nil where it does not tell.
	Plan map[string]any `json:"plan,omitempty"`

	// RequestID names the request that brought this value, or, in newer API versions, the one that created the task.
	RequestID string `json:"request_id,omitempty"`
	// Raw is the task as it came, for members that are newer than this package.
	Raw json.RawMessage `json:"-"`
}

// IsTerminal tells whether the task has ended, one way or another. An unknown status is not an end.
func (t *VideoTaskResponse) IsTerminal() bool {
	switch t.Status {
	case StatusSucceeded, StatusFailed, StatusExpired, StatusCancelled:
		return true
	}
	return false
}

// UnmarshalJSON reads a task leniently; only what is no JSON object is an error.
func (t *VideoTaskResponse) UnmarshalJSON(data []byte) error {
	_, err := t.decode(data)
	return err
}

// decode returns the members too, for those who embed a task.
func (t *VideoTaskResponse) decode(data []byte) (object, error) {
	members, err := readObject(data)
	if err != nil {
		return nil, err
	}
	t.read(members)
	t.Raw = bytes.Clone(data)
	return members, nil
}

func (t *VideoTaskResponse) read(members object) {
	*t = VideoTaskResponse{
		ID:                    members.text("id"),
		Status:                members.text("status"),
		Model:                 members.text("model"),
		Error:                 readTaskError(members.get("error")),
		Content:               readContent(members.get("content")),
		CreatedAt:             members.moment("created_at"),
		UpdatedAt:             members.moment("updated_at"),
		CompletedAt:           members.moment("completed_at"),
		ExpiresAt:             members.moment("expires_at"),
		Progress:              members.number("progress"),
		QueuePosition:         members.integer("queue_position"),
		Seed:                  members.whole("seed"),
		Resolution:            members.text("resolution"),
		Ratio:                 members.text("ratio"),
		Duration:              members.integer("duration"),
		Frames:                members.integer("frames"),
		FramesPerSecond:       members.integer("framespersecond"),
		GenerateAudio:         members.boolean("generate_audio"),
		SafetyIdentifier:      members.text("safety_identifier"),
		Priority:              members.integer("priority"),
		Draft:                 members.boolean("draft"),
		DraftTaskID:           members.text("draft_task_id"),
		ServiceTier:           members.text("service_tier"),
		ExecutionExpiresAfter: members.integer("execution_expires_after"),
		Usage:                 readUsage(members.get("usage")),
		CostUSD:               members.decimal("cost_usd"),
		Metadata:              members.textMap("metadata"),
		Charged:               members.text("charged"),
		Plan:                  readOrZero[map[string]any](members.get("plan")),
		RequestID:             members.text("request_id"),
	}
}

// readTaskError reads {"code", "message"}, whose code some providers give as a number, or a plain message.
func readTaskError(raw json.RawMessage) *VideoTaskError {
	if message, ok := readText(raw); ok {
		return &VideoTaskError{Message: message}
	}
	members, ok := split(raw)
	if !ok {
		return nil
	}
	code := members.text("code")
	if number := members.whole("code"); number != nil {
		code = strconv.FormatInt(*number, 10)
	}
	return &VideoTaskError{Code: code, Message: members.text("message")}
}

func readUsage(raw json.RawMessage) *VideoTaskUsage {
	members, ok := split(raw)
	if !ok {
		return nil
	}
	return &VideoTaskUsage{
		CompletionTokens: members.whole("completion_tokens"),
		TotalTokens:      members.whole("total_tokens"),
	}
}

// CreateVideoGenerationResponse is a task as it was accepted.
type CreateVideoGenerationResponse struct {
	VideoTaskResponse
	// UnsupportedParams names parameters that the model lacks and that were dropped.
	UnsupportedParams []string `json:"unsupported_params,omitempty"`
}

// UnmarshalJSON reads leniently, like VideoTaskResponse.
func (r *CreateVideoGenerationResponse) UnmarshalJSON(data []byte) error {
	members, err := r.decode(data)
	r.UnsupportedParams = members.texts("unsupported_params")
	return err
}

// DeleteVideoGenerationResponse is what a delete did: removed an ended task (Deleted), or cancelled one that had not
// ended, which is then told.
type DeleteVideoGenerationResponse struct {
	VideoTaskResponse
	Deleted bool `json:"deleted"`
}

// UnmarshalJSON reads leniently, like VideoTaskResponse.
func (r *DeleteVideoGenerationResponse) UnmarshalJSON(data []byte) error {
	members, err := r.decode(data)
	r.Deleted = members.isTrue("deleted")
	return err
}
