package meshapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	secretPrefix     = "whsec_"
	defaultTolerance = 5 * time.Minute
)

var unixSeconds = regexp.MustCompile(`^[0-9]{1,15}$`)

// Webhooks checks callbacks, which are signed by the Standard Webhooks scheme (contract: webhooks). For that it needs no
// client:
//
//	hooks := meshapi.Webhooks{Secret: "whsec_…"}
//
// What asks the server (Endpoints, Deliveries, Events, GetSecret and so on) is of client.Webhooks; without a client it
// goes by the settings of the environment, as the zero Client does.
type Webhooks struct {
	// Secret is what the server signs with: "whsec_" and base64; or several, separated by blanks, while one takes the
	// place of another. Default: MESHAPI_WEBHOOK_SECRET.
	Secret string
	// Tolerance is how old or how far ahead a callback may be, so that it cannot be replayed later. Default: 5 minutes.
	Tolerance time.Duration

	// Endpoints is the URLs that are told of every task.
	Endpoints WebhookEndpoints
	// Deliveries is the log of what was posted.
	Deliveries WebhookDeliveries

	connection *connection
	now        func() time.Time
}

// WebhookEvent is a callback that was verified: a task has ended.
type WebhookEvent struct {
	// ID is the same at every delivery of one event.
	ID string
	// Timestamp is when it was signed.
	Timestamp time.Time
	Task      *VideoTaskResponse
}

// String shows no secret.
func (w Webhooks) String() string { return "meshapi.Webhooks" }

// GoString shows no secret, either.
func (w Webhooks) GoString() string { return w.String() }

// Verify returns the task that a callback tells; it is Parse without the id and the time of the event.
func (w Webhooks) Verify(body []byte, header http.Header) (*VideoTaskResponse, error) {
	event, err := w.Parse(body, header)
	if err != nil {
		return nil, err
	}
	return event.Task, nil
}

// Parse returns what a callback tells, or an error (ErrWebhook) if it is not to be believed: not signed with a secret, or
// too old. body is the raw body of the request. The same event may come more than once; its ID is then the same.
//
// The error's Code says why: webhook_missing_header, webhook_malformed_timestamp, webhook_wrong_signature,
// webhook_too_old, webhook_too_new, or webhook_no_task for a genuine body that is no task.
func (w Webhooks) Parse(body []byte, header http.Header) (*WebhookEvent, error) {
	keys, err := w.keys()
	if err != nil {
		return nil, err
	}
	signed, err := readSigned(header)
	if err != nil {
		return nil, err
	}
	// The signature comes before the age, so that "too old" is said of genuine callbacks only.
	if !signed.fits(keys, body) {
		return nil, unbelievable("wrong_signature",
			"no signature fits: the secret is another one, or the body is not the one that was sent")
	}
	event := &WebhookEvent{ID: signed.id, Timestamp: signed.at, Task: &VideoTaskResponse{}}
	if err := w.checkAge(event.Timestamp); err != nil {
		return nil, err
	}
	if err := event.Task.UnmarshalJSON(body); err != nil {
		return nil, unbelievable("no_task", "it is genuine, but its body is no task: %v", err)
	}
	return event, nil
}

func (w Webhooks) keys() ([][]byte, error) {
	secrets := strings.Fields(firstOf(w.Secret, os.Getenv("MESHAPI_WEBHOOK_SECRET")))
	if len(secrets) == 0 {
		return nil, misconfigured("no webhook secret: set Secret, or the environment variable MESHAPI_WEBHOOK_SECRET")
	}
	keys := make([][]byte, len(secrets))
	for index, secret := range secrets {
		encoded := strings.TrimRight(strings.TrimPrefix(secret, secretPrefix), "=")
		key, err := base64.RawStdEncoding.DecodeString(encoded)
		if err != nil || len(key) == 0 {
			// The value itself is never shown.
			return nil, misconfigured("the webhook secret is not %s and base64", secretPrefix)
		}
		keys[index] = key
	}
	return keys, nil
}

// signed is what the headers of a callback say.
type signed struct {
	id, stamp  string
	at         time.Time
	signatures string
}

func readSigned(header http.Header) (signed, error) {
	read := signed{
		id: header.Get("Webhook-Id"), stamp: header.Get("Webhook-Timestamp"),
		signatures: strings.TrimSpace(strings.Join(header.Values("Webhook-Signature"), " ")),
	}
	for _, each := range [][2]string{
		{"webhook-id", read.id}, {"webhook-timestamp", read.stamp}, {"webhook-signature", read.signatures},
	} {
		if each[1] == "" {
			return signed{}, unbelievable("missing_header", "the header %s is missing", each[0])
		}
	}
	if !unixSeconds.MatchString(read.stamp) {
		return signed{}, unbelievable("malformed_timestamp", "the header webhook-timestamp is %q, not Unix seconds", read.stamp)
	}
	seconds, _ := strconv.ParseInt(read.stamp, 10, 64) // 15 digits fit
	read.at = time.Unix(seconds, 0)
	return read, nil
}

// fits compares in constant time. Several signatures may stand in one header while the secret is being changed.
func (s signed) fits(keys [][]byte, body []byte) bool {
	var wanted [][]byte
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.", s.id, s.stamp)
		mac.Write(body)
		wanted = append(wanted, mac.Sum(nil))
	}
	fits := false
	for _, signature := range strings.Fields(s.signatures) {
		// A proxy may have joined two headers by ", ".
		encoded, ok := strings.CutPrefix(strings.TrimRight(signature, ","), "v1,")
		if !ok {
			continue
		}
		given, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			continue
		}
		for _, one := range wanted {
			fits = hmac.Equal(given, one) || fits
		}
	}
	return fits
}

func (w Webhooks) checkAge(at time.Time) error {
	now := time.Now
	if w.now != nil {
		now = w.now
	}
	tolerance := w.Tolerance
	if tolerance <= 0 {
		tolerance = defaultTolerance
	}
	switch age := now().Sub(at); {
	case age > tolerance:
		return unbelievable("too_old", "it was signed %s ago; at most %s are allowed", age.Round(time.Second), tolerance)
	case age < -tolerance:
		return unbelievable("too_new", "it was signed %s ahead of this clock; at most %s are allowed",
			-age.Round(time.Second), tolerance)
	}
	return nil
}

func unbelievable(reason, format string, arguments ...any) error {
	told := "the callback is not to be believed: " + fmt.Sprintf(format, arguments...)
	return &MeshAPIError{Code: codeWebhook + "_" + reason, Message: told, kind: ErrWebhook}
}
