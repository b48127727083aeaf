package meshapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	secretPrefix     = "whsec_"
	defaultTolerance = 5 * time.Minute
)

// Webhooks checks callbacks, which are signed by the Standard Webhooks scheme. It needs no client:
//
//	hooks := meshapi.Webhooks{Secret: "whsec_…"}
type Webhooks struct {
	// Secret is what the server signs with: "whsec_" and base64. Default: MESHAPI_WEBHOOK_SECRET.
	Secret string
	// Tolerance is how old or how far ahead a callback may be, so that it cannot be replayed later. Default: 5 minutes.
	Tolerance time.Duration

	now func() time.Time
}

// String shows no secret.
func (w Webhooks) String() string { return "meshapi.Webhooks" }

// Verify returns the task that a callback tells, or an error (ErrWebhook) if it is not to be believed: not signed with
// the secret, or too old. body is the raw body of the request. The same callback may come more than once: header
// "webhook-id" is then the same.
func (w Webhooks) Verify(body []byte, header http.Header) (*VideoTaskResponse, error) {
	key, err := w.key()
	if err != nil {
		return nil, err
	}
	id, stamp := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	if id == "" || stamp == "" {
		return nil, unbelievable("the header webhook-id or webhook-timestamp is missing")
	}
	if !signed(key, id, stamp, body, header.Values("Webhook-Signature")) {
		return nil, unbelievable("no signature fits: the secret is another one, or the body is not the one that was sent")
	}
	if err := w.checkAge(stamp); err != nil {
		return nil, err
	}
	task := &VideoTaskResponse{}
	if err := task.UnmarshalJSON(body); err != nil {
		return nil, unbelievable("the body is no task: %v", err)
	}
	return task, nil
}

func (w Webhooks) key() ([]byte, error) {
	secret := strings.TrimSpace(firstOf(w.Secret, os.Getenv("MESHAPI_WEBHOOK_SECRET")))
	if secret == "" {
		return nil, misconfigured("no webhook secret: set Secret, or the environment variable MESHAPI_WEBHOOK_SECRET")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil || len(key) == 0 {
		// The value itself is never shown.
		return nil, misconfigured("the webhook secret is not %s and base64", secretPrefix)
	}
	return key, nil
}

// signed compares in constant time. Several signatures may stand in one header while the secret is being changed.
func signed(key []byte, id, stamp string, body []byte, signatures []string) bool {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, stamp)
	mac.Write(body)
	wanted := mac.Sum(nil)
	fits := false
	for _, signature := range strings.Fields(strings.Join(signatures, " ")) {
		encoded, ok := strings.CutPrefix(signature, "v1,")
		if !ok {
			continue
		}
		given, err := base64.StdEncoding.DecodeString(encoded)
		fits = (err == nil && hmac.Equal(given, wanted)) || fits
	}
	return fits
}

func (w Webhooks) checkAge(stamp string) error {
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return unbelievable("the header webhook-timestamp is %q, not Unix seconds", stamp)
	}
	now := time.Now
	if w.now != nil {
		now = w.now
	}
	tolerance := w.Tolerance
	if tolerance <= 0 {
		tolerance = defaultTolerance
	}
	if age := now().Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return unbelievable("it was signed %s ago; at most %s are allowed", age.Round(time.Second), tolerance)
	}
	return nil
}

func unbelievable(format string, arguments ...any) error {
	return &MeshAPIError{Code: codeWebhook, Message: fmt.Sprintf(format, arguments...), kind: ErrWebhook}
}
