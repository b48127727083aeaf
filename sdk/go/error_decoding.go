package meshapi

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
)

// assumedCodes is what contract/errors.json says under "assumed"; a test compares them.
var assumedCodes = map[int]string{
	http.StatusBadRequest:            "invalid_request",
	http.StatusUnauthorized:          "unauthorized",
	http.StatusPaymentRequired:       "spend_limit_exceeded",
	http.StatusForbidden:             "forbidden",
	http.StatusNotFound:              "not_found",
	http.StatusMethodNotAllowed:      "method_not_allowed",
	http.StatusConflict:              "conflict",
	http.StatusRequestEntityTooLarge: "request_too_large",
	http.StatusUnsupportedMediaType:  "unsupported_media_type",
	http.StatusUnprocessableEntity:   "unprocessable_entity",
	http.StatusTooManyRequests:       "rate_limit_exceeded",
	http.StatusInternalServerError:   "internal_error",
	http.StatusBadGateway:            "upstream_error",
	http.StatusServiceUnavailable:    "provider_not_available",
	http.StatusGatewayTimeout:        "gateway_timeout",
}

// final is the error a call ends with.
func (o outcome) final(wanted request, now time.Time, mayExist bool) *MeshAPIError {
	var last *MeshAPIError
	if o.answer != nil {
		last = o.answer.refusal(now)
	} else {
		last = o.failure.error(wanted)
	}
	last.TaskID = wanted.taskID
	last.TaskMayExist = mayExist
	last.IdempotencyKey = wanted.key
	return last
}

func (f *failure) error(wanted request) *MeshAPIError {
	what := wanted.what()
	switch f.kind {
	case wasInterrupted:
		return interrupted(what, f.cause)
	case timedOut:
		return &MeshAPIError{Code: codeTimeout, Message: what + ": no answer in time", cause: f.cause, kind: ErrTimeout}
	case couldNotConnect:
		what += ": cannot connect"
	default:
		what += ": the connection broke"
	}
	return &MeshAPIError{
		Code: codeConnection, Message: fmt.Sprintf("%s (%v)", what, f.cause), cause: f.cause, kind: ErrConnection,
	}
}

// refusal reads an answer that is not a success (contract: error-decoding). One odd member loses nothing else.
func (a *answer) refusal(now time.Time) *MeshAPIError {
	body, _ := readObject(a.body)
	envelope := envelopeOf(body)
	details := readDetails(envelope.get("details"))
	listed := elements(body.get("detail"))
	if listed != nil {
		details = readDetails(body.get("detail"))
	}
	wish, _ := retryAfter(a.header.Get("Retry-After"), now)
	return &MeshAPIError{
		Status:        a.status,
		Code:          firstOf(envelope.text("code"), assumedCode(a.status, len(listed) > 0)),
		Message:       a.message(body, envelope, details),
		RequestID:     firstOf(body.text("request_id"), a.requestID()),
		Details:       details,
		ProviderError: readOrZero[any](envelope.get("provider_error")),
		RetryAfter:    max(wish, readSeconds(envelope.get("retry_after_seconds"))),
	}
}

// envelopeOf is the object under "error"; a plain string there, or a message at the top, is read as its message.
func envelopeOf(body object) object {
	if envelope, ok := split(body.get("error")); ok {
		return envelope
	}
	if _, ok := readText(body.get("error")); ok {
		return object{{[]byte("message"), body.get("error")}}
	}
	return object{{[]byte("message"), body.get("message")}}
}

func (a *answer) message(body, envelope object, details []ErrorDetail) string {
	if told := firstOf(envelope.text("message"), body.text("detail")); told != "" {
		return told
	}
	if len(details) > 0 {
		return joinDetails(details)
	}
	message := fmt.Sprintf("HTTP %d", a.status)
	if body == nil && strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
		if plain := []rune(strings.TrimSpace(strings.ToValidUTF8(string(a.body), "\uFFFD"))); len(plain) > 0 {
			message += ": " + string(plain[:min(len(plain), 200)])
		}
	}
	return message
}

func joinDetails(details []ErrorDetail) string {
	parts := make([]string, len(details))
	for index, detail := range details {
		var place []string
		for _, step := range detail.Loc {
			place = append(place, fmt.Sprint(step))
		}
		parts[index] = strings.Join(place, ".") + ": " + detail.Msg
	}
	return strings.Join(parts, "; ")
}

// assumedCode stands in for a code that an answer does not name.
func assumedCode(status int, schemaFault bool) string {
	if schemaFault {
		return "validation_error"
	}
	if code, ok := assumedCodes[status]; ok {
		return code
	}
	if status < http.StatusInternalServerError {
		return "invalid_request"
	}
	return "internal_error"
}

// readDetails passes over what is no object.
func readDetails(raw json.RawMessage) []ErrorDetail {
	var details []ErrorDetail
	for _, each := range elements(raw) {
		detail, ok := split(each)
		if !ok {
			continue
		}
		details = append(details, ErrorDetail{detail.text("type"), readPlace(detail.get("loc")), detail.text("msg")})
	}
	return details
}

// readPlace keeps strings and whole numbers; a single one is a place of one step.
func readPlace(raw json.RawMessage) []any {
	steps := readOrZero[[]any](raw)
	if steps == nil {
		steps = []any{readOrZero[any](raw)}
	}
	var place []any
	for _, step := range steps {
		switch value := step.(type) {
		case string:
			place = append(place, value)
		case float64:
			if value == math.Trunc(value) && math.Abs(value) < 1<<31 {
				place = append(place, int(value))
			}
		}
	}
	return place
}
