package meshapi

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter reads a Retry-After header (RFC 9110 section 10.2.3; contract: retry-after): seconds, or a date in one of
// three forms. ok is false where it says nothing usable.
func retryAfter(value string, now time.Time) (wait time.Duration, ok bool) {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return durationOf(seconds)
	}
	moment, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return max(moment.Sub(now), 0), true
}

// durationOf refuses what is no time to wait: negative, not a number, or longer than a Duration can say.
func durationOf(seconds float64) (time.Duration, bool) {
	if !(seconds >= 0) || seconds > math.MaxInt64/float64(time.Second) {
		return 0, false
	}
	return time.Duration(math.Round(seconds * float64(time.Second))), true
}

// retryAfterInBody is retry_after_seconds of an error envelope, 0 when there is none.
func retryAfterInBody(body []byte) time.Duration {
	members, _ := readObject(body)
	return readSeconds(members.members("error").get("retry_after_seconds"))
}

// readSeconds takes a number, or a string that holds one.
func readSeconds(raw json.RawMessage) time.Duration {
	seconds, ok := readNumber(raw)
	if text, isText := readText(raw); isText {
		number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		seconds, ok = number, err == nil
	}
	if !ok {
		return 0
	}
	wait, _ := durationOf(seconds)
	return wait
}
