package meshapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The signature was made by another implementation of HMAC (RFC 2104):
//
//	printf '%s' "$id.$stamp.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:…" -binary | base64
const (
	hookSecret    = "whsec_bWVzaCBhcGkgdGVzdCBzZWNyZXQgMDEyMzQ1Njc4OQ=="
	hookBody      = `{"id":"task_1","status":"succeeded","content":{"video_url":"https://files.example/1.mp4"}}`
	hookStamp     = "1785585600"
	hookSignature = "v1,h5vBohi3s56J6gUFBXC0Vn+DcqcaEFcZ2mVR4q2hPw4="
)

func hookHeader() http.Header {
	header := http.Header{}
	header.Set("webhook-id", "evt_1")
	header.Set("webhook-timestamp", hookStamp)
	header.Set("webhook-signature", hookSignature)
	return header
}

func hooksAt(seconds int64) Webhooks {
	return Webhooks{Secret: hookSecret, now: func() time.Time { return time.Unix(seconds, 0) }}
}

func TestWebhooks(t *testing.T) {
	type given struct {
		Secrets   []string    `json:"secrets"`
		Headers   [][2]string `json:"headers"`
		Body      string      `json:"body"`
		Now       int64       `json:"now"`
		Tolerance float64     `json:"tolerance"`
	}
	type want struct {
		Task  map[string]any `json:"task"`
		Error string         `json:"error"`
	}
	runSuite(t, "webhooks", func(t *testing.T, given given, want want) {
		hooks := Webhooks{
			Secret: strings.Join(given.Secrets, " "), Tolerance: seconds(given.Tolerance),
			now: func() time.Time { return time.Unix(given.Now, 0) },
		}
		header := http.Header{}
		for _, pair := range given.Headers {
			header.Add(pair[0], pair[1])
		}
		event, err := hooks.Parse([]byte(given.Body), header)
		if want.Error == "" {
			if err != nil {
				t.Fatal(err)
			}
			checkAtLeast(t, map[string]any{
				"id": event.Task.ID, "status": event.Task.Status, "video_url": orNull(event.Task.Content.VideoURL()),
			}, want.Task)
			return
		}
		var told *MeshAPIError
		if event != nil || !errors.As(err, &told) {
			t.Fatalf("got %v, %v, want %s", event, err, want.Error)
		}
		if want.Error == "secret" {
			if !errors.Is(err, ErrConfiguration) {
				t.Errorf("got %v, want ErrConfiguration", err)
			}
		} else if !errors.Is(err, ErrWebhook) || told.Code != "webhook_"+want.Error {
			t.Errorf("got %v, want %s", err, want.Error)
		}
		for _, secret := range given.Secrets {
			if bare := strings.TrimPrefix(secret, "whsec_"); bare != "" && strings.Contains(err.Error(), bare) {
				t.Errorf("the error shows a secret: %v", err)
			}
		}
	})
}

func TestAnEventHasTheIDOfAllItsDeliveries(t *testing.T) {
	event, err := hooksAt(1785585601).Parse([]byte(hookBody), hookHeader())
	if err != nil || event.ID != "evt_1" || event.Timestamp.Unix() != 1785585600 || event.Task.ID != "task_1" {
		t.Errorf("got %+v, %v", event, err)
	}
}

func TestASignedCallbackIsTheTask(t *testing.T) {
	task, err := hooksAt(1785585601).Verify([]byte(hookBody), hookHeader())
	if err != nil || task.ID != "task_1" || task.Content.VideoURL() != "https://files.example/1.mp4" {
		t.Errorf("got %+v, %v", task, err)
	}
}

func TestACallbackMayCarrySeveralSignatures(t *testing.T) {
	header := hookHeader()
	header.Set("webhook-signature", "v1a,AAAA v1,%% v1,AAAA "+hookSignature+" v1,BBBB")
	if _, err := hooksAt(1785585600).Verify([]byte(hookBody), header); err != nil {
		t.Error(err)
	}
}

func TestACallbackThatIsNotToBeBelievedIsRefused(t *testing.T) {
	change := func(name, value string) http.Header {
		header := hookHeader()
		header.Set(name, value)
		return header
	}
	for name, each := range map[string]struct {
		body   string
		header http.Header
		now    int64
	}{
		"another body":     {hookBody + " ", hookHeader(), 1785585600},
		"another id":       {hookBody, change("webhook-id", "evt_2"), 1785585600},
		"another time":     {hookBody, change("webhook-timestamp", "1785585601"), 1785585600},
		"no time":          {hookBody, change("webhook-timestamp", ""), 1785585600},
		"no id":            {hookBody, change("webhook-id", ""), 1785585600},
		"no signature":     {hookBody, change("webhook-signature", ""), 1785585600},
		"a cut signature":  {hookBody, change("webhook-signature", hookSignature[:20]), 1785585600},
		"another version":  {hookBody, change("webhook-signature", "v2"+hookSignature[2:]), 1785585600},
		"a replay":         {hookBody, hookHeader(), 1785585600 + 301},
		"from the future":  {hookBody, hookHeader(), 1785585600 - 301},
		"no header at all": {hookBody, nil, 1785585600},
		"no body":          {"", hookHeader(), 1785585600},
	} {
		task, err := hooksAt(each.now).Verify([]byte(each.body), each.header)
		if !errors.Is(err, ErrWebhook) || task != nil {
			t.Errorf("%s: got %v, %v", name, task, err)
		}
	}
	wider := hooksAt(1785585600 + 301)
	wider.Tolerance = time.Hour
	if _, err := wider.Verify([]byte(hookBody), hookHeader()); err != nil {
		t.Error(err)
	}
}

func TestTheSecretComesFromTheConfigurationOrTheEnvironmentAndIsNeverShown(t *testing.T) {
	t.Setenv("MESHAPI_WEBHOOK_SECRET", "")
	if _, err := (Webhooks{}).Verify([]byte(hookBody), hookHeader()); !errors.Is(err, ErrConfiguration) {
		t.Errorf("got %v without a secret", err)
	}
	_, err := Webhooks{Secret: "whsec_not*base64"}.Verify([]byte(hookBody), hookHeader())
	if !errors.Is(err, ErrConfiguration) || strings.Contains(err.Error(), "not*base64") {
		t.Errorf("got %v", err)
	}
	configured := New(Config{Token: "rsk_test", WebhookSecret: hookSecret}).Webhooks
	configured.now = hooksAt(1785585600).now
	t.Setenv("MESHAPI_WEBHOOK_SECRET", hookSecret)
	fromEnvironment := Webhooks{now: configured.now}
	for _, hooks := range []Webhooks{configured, fromEnvironment} {
		if _, err := hooks.Verify([]byte(hookBody), hookHeader()); err != nil {
			t.Error(err)
		}
	}
}

func TestASignedBodyThatIsNoTaskIsRefused(t *testing.T) {
	header := hookHeader()
	header.Set("webhook-signature", "v1,G3ZK2NOeRuHLrPfNnireZkx0Lgt9IuZMqXG6ku8Z7Fc=")
	if _, err := hooksAt(1785585600).Verify([]byte("[]"), header); !errors.Is(err, ErrWebhook) || !strings.Contains(err.Error(), "no task") {
		t.Errorf("got %v", err)
	}
}

func TestNoWayOfPrintingShowsASecret(t *testing.T) {
	config := Config{BaseURL: "http://127.0.0.1:8080", Token: "rsk_secret", WebhookSecret: hookSecret}
	hooks := Webhooks{Secret: hookSecret}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if told := fmt.Sprintf(verb+verb, config, hooks); strings.Contains(told, "rsk_secret") || strings.Contains(told, hookSecret) {
			t.Errorf("%s shows %s", verb, told)
		}
	}
}
