package meshapi

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"
)

// The idempotency key travels under a name that net/http does not recognise: seeing "Idempotency-Key" it would itself
// send a broken create again, to any server. Header names are case-insensitive on the wire.
const idempotencyHeader = "idempotency-key"

// request is one HTTP request, to be sent once or more often.
type request struct {
	method  string
	url     string
	header  http.Header // beside those of every request
	body    []byte
	timeout time.Duration // 0 for none
	retries int
	repeat  repeatability
	key     string    // the idempotency key of a create
	taskID  string    // what the request is about, for errors
	seen    *Response // where the caller wants to see the answer
	foreign bool      // a link to a file, perhaps on another host: the API key must not go there
}

// bodyReader gives the body anew for each time it is sent.
func (r request) bodyReader() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(r.body)), nil
}

// what names the request in errors and logs, without its query: links to files are signed there.
func (r request) what() string {
	path, _, _ := strings.Cut(r.url, "?")
	return r.method + " " + path
}

func newIdempotencyKey() (string, error) {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", misconfigured("no random numbers for an idempotency key: %v", err)
	}
	return hex.EncodeToString(random[:]), nil
}
