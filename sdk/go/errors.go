package meshapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// What errors.Is finds in a *MeshAPIError. The first group is named for what the server answered.
var (
	ErrBadRequest      = errors.New("the request cannot be read")                       // 400
	ErrUnauthorized    = errors.New("the API key is missing, malformed or unknown")     // 401
	ErrSpendLimit      = errors.New("the budget of the key is used up")                 // 402
	ErrForbidden       = errors.New("the key is suspended")                             // 403
	ErrNotFound        = errors.New("no such task or model, or it is somebody else's")  // 404
	ErrConflict        = errors.New("the task is not in a state that allows this")      // 409
	ErrRequestTooLarge = errors.New("the body is larger than the server accepts")       // 413
	ErrUnprocessable   = errors.New("the request does not fit the schema or the model") // 422
	ErrRateLimited     = errors.New("too many requests")                                // 429
	ErrServer          = errors.New("a defect in the server")                           // 500
	ErrUpstreamFailed  = errors.New("the provider of the model, or a proxy, failed")    // 502
	ErrUnavailable     = errors.New("the provider or the server is not available")      // 503
	ErrGatewayTimeout  = errors.New("the provider of the model did not answer in time") // 504

	// ErrConnection: no usable answer. A timeout is one, too.
	ErrConnection = errors.New("no usable answer")
	// ErrTimeout: no answer within the timeout of the client (not of the caller's context).
	ErrTimeout = errors.New("no answer in time")
	// ErrConfiguration: the client or the call was given something it cannot work with; nothing was sent.
	ErrConfiguration = errors.New("wrong configuration")
	// ErrInvalidID: an id that would not name one task or model; nothing was sent.
	ErrInvalidID = errors.New("invalid id")
	// ErrUndecodable: an answer of 2xx whose body is not what the API sends.
	ErrUndecodable = errors.New("undecodable answer")
	// ErrDownload: a result could not be fetched whole.
	ErrDownload = errors.New("download failed")
	// ErrMedia: a picture of this machine that cannot be sent; nothing was sent.
	ErrMedia = errors.New("unusable picture")
	// ErrWebhook: a callback that is not to be believed.
	ErrWebhook = errors.New("webhook not verified")
)

// Codes of errors that no server sent.
const (
	codeConnection    = "connection"
	codeTimeout       = "timeout"
	codeInterrupted   = "interrupted"
	codeConfiguration = "configuration"
	codeInvalidID     = "invalid_id"
	codeUndecodable   = "undecodable"
	codeDownload      = "download"
	codeMedia         = "media"
	codeWebhook       = "webhook"
	codeWaitTimeout   = "wait_timeout"
)

var errorsByStatus = map[int]error{
	http.StatusBadRequest:            ErrBadRequest,
	http.StatusUnauthorized:          ErrUnauthorized,
	http.StatusPaymentRequired:       ErrSpendLimit,
	http.StatusForbidden:             ErrForbidden,
	http.StatusNotFound:              ErrNotFound,
	http.StatusConflict:              ErrConflict,
	http.StatusRequestEntityTooLarge: ErrRequestTooLarge,
	http.StatusUnprocessableEntity:   ErrUnprocessable,
	http.StatusTooManyRequests:       ErrRateLimited,
	http.StatusInternalServerError:   ErrServer,
	http.StatusBadGateway:            ErrUpstreamFailed,
	http.StatusServiceUnavailable:    ErrUnavailable,
	http.StatusGatewayTimeout:        ErrGatewayTimeout,
}

// ErrorDetail says what is wrong with one part of a request. Loc holds strings and ints, as in ["body", "content", 0].
type ErrorDetail struct {
	Type string
	Loc  []any
	Msg  string
}

// MeshAPIError is every error of this package, or stands behind it: errors.As finds it.
type MeshAPIError struct {
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Code is the machine-readable code (contract/errors.json), or one of this package's own.
	Code    string
	Message string
	// RequestID names the request in the server's logs.
	RequestID string
	// TaskID is the task the call was about, where there was one.
	TaskID string
	// Details say where a request does not fit.
	Details []ErrorDetail
	// ProviderError is what the provider of the model said, as decoded from JSON.
	ProviderError any
	// RetryAfter is how long the server wishes to be left alone; 0 when it names no time.
	RetryAfter time.Duration
	// TaskMayExist: a create may have been accepted although its answer was lost. Before creating anew, look for the
	// task in the list, or repeat the call with WithIdempotencyKey(IdempotencyKey) if the server honours such keys.
	TaskMayExist   bool
	IdempotencyKey string

	kind  error // one of the Err values, where the status does not name it
	cause error
}

// Error tells all that is known in one line. It holds no key and no query of a URL.
func (e *MeshAPIError) Error() string {
	var text strings.Builder
	text.WriteString("meshapi: ")
	if e.Status != 0 {
		fmt.Fprintf(&text, "%d ", e.Status)
	}
	fmt.Fprintf(&text, "%s: %s", e.Code, e.Message)
	if e.RequestID != "" {
		fmt.Fprintf(&text, " (request %s)", e.RequestID)
	}
	if e.TaskMayExist {
		text.WriteString(" (the task may exist: the answer to the create was lost; before you create it anew, look for" +
			" it in the list, or repeat the call with the same idempotency key if the server honours such keys)")
	}
	return text.String()
}

// Unwrap returns what went wrong below, if anything did.
func (e *MeshAPIError) Unwrap() error { return e.cause }

// Is lets errors.Is find the Err values.
func (e *MeshAPIError) Is(target error) bool {
	return target == e.kind || target == errorsByStatus[e.Status] || (target == ErrConnection && e.kind == ErrTimeout)
}

// TaskFailedError is a task that ended without a result.
type TaskFailedError struct {
	// Task is the whole task; Task.Error says why.
	Task *VideoTaskResponse
}

func (e *TaskFailedError) Error() string {
	code, message := e.reason()
	return fmt.Sprintf("meshapi: task %s ended %s: %s: %s", e.Task.ID, e.Task.Status, code, message)
}

// Unwrap returns the same as a *MeshAPIError, with the code of the task's error.
func (e *TaskFailedError) Unwrap() error {
	code, message := e.reason()
	return &MeshAPIError{
		Status: http.StatusOK, Code: code, Message: message, RequestID: e.Task.RequestID, TaskID: e.Task.ID,
	}
}

func (e *TaskFailedError) reason() (code, message string) {
	code, message = e.Task.Status, "the server gave no reason"
	if e.Task.Error == nil {
		return code, message
	}
	if e.Task.Error.Code != "" {
		code = e.Task.Error.Code
	}
	if e.Task.Error.Message != "" {
		message = e.Task.Error.Message
	}
	return code, message
}

// WaitTimeoutError is a wait that ran out. The task goes on: it can be waited for again, or cancelled.
// errors.Is(err, context.DeadlineExceeded) is true for it.
type WaitTimeoutError struct {
	TaskID string
	// Task is the task as it was last seen, nil if it never was.
	Task *VideoTaskResponse
	// Waited is how long the wait was.
	Waited time.Duration

	fault error
}

func (e *WaitTimeoutError) Error() string { return "meshapi: " + e.message() }

func (e *WaitTimeoutError) message() string {
	seen := "it was never seen"
	if e.Task != nil {
		seen = "it was last seen " + e.Task.Status
	}
	return fmt.Sprintf("task %s did not end within %s (%s); it goes on and can be waited for again",
		e.TaskID, e.Waited.Round(time.Millisecond), seen)
}

// Unwrap returns the same as a *MeshAPIError, context.DeadlineExceeded, and the last fault met while waiting.
func (e *WaitTimeoutError) Unwrap() []error {
	causes := []error{
		&MeshAPIError{Code: codeWaitTimeout, Message: e.message(), TaskID: e.TaskID},
		context.DeadlineExceeded,
	}
	if e.fault != nil {
		causes = append(causes, e.fault)
	}
	return causes
}

func misconfigured(format string, arguments ...any) *MeshAPIError {
	return &MeshAPIError{Code: codeConfiguration, Message: fmt.Sprintf(format, arguments...), kind: ErrConfiguration}
}

// interrupted is a call that the caller's context ended.
func interrupted(what string, cause error) *MeshAPIError {
	return &MeshAPIError{Code: codeInterrupted, Message: fmt.Sprintf("%s: %v", what, cause), cause: cause}
}
