package meshapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func TestTheEnvironmentFillsInWhatTheConfigurationLeavesOut(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: accepted})
	t.Setenv("MESHAPI_BASE_URL", server.URL+"/v1/")
	t.Setenv("MESHAPI_TOKEN", "rsk_second")
	var zero Client
	for want, client := range map[string]*Client{"rsk_second": New(Config{}), "rsk_own": New(Config{Token: " rsk_own\n"})} {
		if _, err := client.Videos.Retrieve(testContext(t), "t"); err != nil {
			t.Fatal(err)
		}
		if got := server.last(t).header.Get("Authorization"); got != "Bearer "+want {
			t.Errorf("sent %q, want %s", got, want)
		}
	}
	t.Setenv("MESHAPI_API_KEY", "rsk_first")
	if _, err := zero.Videos.Retrieve(testContext(t), "t"); err != nil {
		t.Fatal(err)
	}
	if got := server.last(t); got.header.Get("Authorization") != "Bearer rsk_first" || got.uri != "/v1/video/generations/t" {
		t.Errorf("the zero client asked for %s with %q", got.uri, got.header.Get("Authorization"))
	}
}

func TestTheDefaultIsThePublicService(t *testing.T) {
	t.Setenv("MESHAPI_BASE_URL", "")
	resolved, err := resolve(Config{Token: "rsk_test"})
	if err != nil || resolved.root != "https://api.meshapi.ai" || resolved.timeout != time.Minute || resolved.retries != 2 {
		t.Errorf("got %+v, %v", resolved, err)
	}
}

func TestAWrongConfigurationIsNamed(t *testing.T) {
	for _, name := range []string{"MESHAPI_API_KEY", "MESHAPI_TOKEN", "MESHAPI_BASE_URL", "MESHAPI_LOG"} {
		t.Setenv(name, "")
	}
	key := "rsk_sécret"
	for mention, config := range map[string]Config{
		"MESHAPI_API_KEY": {},
		"API key has":     {Token: key},
		"base URL":        {Token: "rsk_test", BaseURL: "//user:hidden@x:y"},
		"MaxRetries":      {Token: "rsk_test", MaxRetries: Int(-1)},
		"Retry.Max":       {Token: "rsk_test", Retry: RetryPolicy{Max: -1}},
	} {
		_, err := NewClient(config)
		if !errors.Is(err, ErrConfiguration) || !strings.Contains(err.Error(), mention) {
			t.Errorf("got %v, want ErrConfiguration that mentions %s", err, mention)
		}
		if strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("the error shows a secret: %v", err)
		}
		client := New(config)
		_, later := client.Videos.Retrieve(context.Background(), "t")
		_, listing := client.Models.List(context.Background(), nil)
		if !errors.Is(later, ErrConfiguration) || !errors.Is(listing, ErrConfiguration) {
			t.Errorf("a call of a client that cannot work returned %v and %v", later, listing)
		}
	}
	t.Setenv("MESHAPI_LOG", "loud")
	if _, err := NewClient(Config{Token: "rsk_test"}); !errors.Is(err, ErrConfiguration) {
		t.Errorf("got %v for MESHAPI_LOG=loud", err)
	}
}

func TestAnOptionThatMeansNothingToACallIsRefused(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusOK, body: accepted})
	client := server.client(t)
	ctx := testContext(t)
	create := func(opts ...Option) error {
		_, err := client.Videos.Generate(ctx, VideoGenerationParams{}, opts...)
		return err
	}
	for name, err := range map[string]error{
		"a wait's":        create(WithMaxWait(time.Second)),
		"a download's":    create(WithLastFrame()),
		"no key":          create(WithIdempotencyKey("")),
		"a key of blanks": create(WithIdempotencyKey("a b")),
		"the header":      create(WithHeader("idempotency-key", "x")),
		"no header":       create(WithHeader("X A", "b")),
		"a line break":    create(WithHeader("X-A", "b\r\nX-C: d")),
		"retries":         create(WithMaxRetries(-1)),
		"no timeout":      create(WithTimeout(0)),
		"no wait":         lastError(client.Videos.Wait(ctx, "t", WithMaxWait(-1))),
		"a hurry":         lastError(client.Videos.Wait(ctx, "t", WithPollInterval(1))),
		"a create's":      lastError(client.Videos.Retrieve(ctx, "t", WithIdempotencyKey("k"))),
		"not JSON":        lastError(client.Videos.Generate(ctx, VideoGenerationParams{Extra: map[string]any{"x": func() {}}})),
	} {
		if !errors.Is(err, ErrConfiguration) {
			t.Errorf("%s: got %v, want ErrConfiguration", name, err)
		}
	}
	if len(server.all()) != 0 {
		t.Errorf("%d requests were sent", len(server.all()))
	}
	if err := create(Option{}, WithQuery("a", "1 2", "3"), WithTimeout(-1), WithMaxRetries(0)); err != nil {
		t.Error(err)
	}
	if got := server.last(t).uri; got != "/v1/video/generations?a=1%202&a=3" {
		t.Errorf("asked for %s", got)
	}
}

func lastError[Value any](_ Value, err error) error { return err }

func TestTheLogTellsOfEachRequestAndOfNoSecret(t *testing.T) {
	server := newRecorder(t, prepared{status: http.StatusServiceUnavailable}, prepared{status: http.StatusOK, body: accepted, header: map[string]string{"X-Request-Id": "req_9"}})
	var log bytes.Buffer
	client := newClient(t, Config{
		BaseURL: server.URL, Token: "rsk_hidden", Retry: RetryPolicy{Initial: time.Millisecond},
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if _, err := client.Videos.Retrieve(testContext(t), "t", WithQuery("signature", "hidden")); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if _, err := client.Videos.Retrieve(testContext(t), "t", WithQuery("signature", "hidden"), WithMaxRetries(0)); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v", err)
	}
	told := log.String()
	for _, wanted := range []string{"status=503", "status=200", "request=req_9", "waiting", "failed="} {
		if !strings.Contains(told, wanted) {
			t.Errorf("the log lacks %s:\n%s", wanted, told)
		}
	}
	if strings.Contains(told, "hidden") {
		t.Errorf("the log shows a secret:\n%s", told)
	}
}

func TestTheLogObeysTheEnvironment(t *testing.T) {
	for wish, want := range map[string][2]bool{"": {false, false}, "off": {false, false}, "Info": {true, false}, "debug": {true, true}} {
		t.Setenv("MESHAPI_LOG", wish)
		logger, err := loggerFor(nil)
		if err != nil {
			t.Fatal(err)
		}
		got := [2]bool{logger.Enabled(context.Background(), slog.LevelInfo), logger.Enabled(context.Background(), slog.LevelDebug)}
		if got != want {
			t.Errorf("MESHAPI_LOG=%q: info and debug are %v, want %v", wish, got, want)
		}
	}
}

func TestTheDefaultClientHasConnectionsOfItsOwn(t *testing.T) {
	transport, ok := defaultClient().Transport.(*http.Transport)
	if !ok || transport == http.DefaultTransport || transport.MaxIdleConnsPerHost < 100 {
		t.Errorf("got %+v", transport)
	}
}

func TestTheModuleHasNoDependencies(t *testing.T) {
	module, err := os.ReadFile("go.mod")
	if err != nil || strings.Contains(string(module), "require") {
		t.Errorf("go.mod is %s, %v", module, err)
	}
}

func TestPrintingShowsNoSecret(t *testing.T) {
	config := Config{BaseURL: "https://me:hidden@server.example", Token: "rsk_hidden", WebhookSecret: "whsec_hidden"}
	client := New(Config{Token: config.Token, WebhookSecret: config.WebhookSecret})
	for _, text := range []string{fmt.Sprint(config), fmt.Sprintf("%+v", &config), fmt.Sprintf("%v %+v", client, *client)} {
		if strings.Contains(text, "hidden") {
			t.Errorf("it prints as %s", text)
		}
	}
}
