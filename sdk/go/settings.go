package meshapi

import (
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	defaultBaseURL    = "https://api.meshapi.ai"
	defaultTimeout    = time.Minute
	defaultMaxRetries = 2
)

// settings is what a client was told, checked and completed.
type settings struct {
	root    string // without /v1 and without a trailing slash
	token   string
	timeout time.Duration // of an attempt, 0 for none
	retry   RetryPolicy
	retries int
}

func resolve(config Config) (settings, error) {
	root, err := normaliseBaseURL(firstOf(config.BaseURL, os.Getenv("MESHAPI_BASE_URL"), defaultBaseURL))
	if err != nil {
		return settings{}, err
	}
	token, err := checkedToken(firstOf(config.Token, os.Getenv("MESHAPI_API_KEY"), os.Getenv("MESHAPI_TOKEN")))
	if err != nil {
		return settings{}, err
	}
	retry, err := config.Retry.completed()
	if err != nil {
		return settings{}, err
	}
	resolved := settings{root: root, token: token, timeout: defaultTimeout, retry: retry, retries: defaultMaxRetries}
	if config.Timeout != 0 {
		resolved.timeout = max(config.Timeout, 0)
	}
	if config.MaxRetries != nil {
		if resolved.retries = *config.MaxRetries; resolved.retries < 0 {
			return settings{}, misconfigured("MaxRetries must be at least 0, got %d", resolved.retries)
		}
	}
	return resolved, nil
}

// normaliseBaseURL takes away trailing slashes and one trailing /v1 (contract: base-url).
func normaliseBaseURL(text string) (string, error) {
	text = strings.TrimSpace(text)
	parsed, err := url.Parse(text)
	if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Hostname() == "" || !isPort(parsed.Port()) {
		return "", misconfigured("the base URL %q is none; expected one like %s", withoutUser(text), defaultBaseURL)
	}
	if parsed.User != nil {
		return "", misconfigured("the base URL holds a user name or password; the key belongs into Token")
	}
	if parsed.RawQuery != "" || parsed.Fragment != "" {
		return "", misconfigured("the base URL %q has a query or fragment; expected scheme, host and path only", text)
	}
	path := strings.TrimRight(parsed.EscapedPath(), "/")
	if strings.HasSuffix(path, "/v1") {
		path = strings.TrimRight(strings.TrimSuffix(path, "/v1"), "/")
	}
	return parsed.Scheme + "://" + parsed.Host + path, nil
}

func isPort(text string) bool {
	if text == "" {
		return true
	}
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

// withoutUser keeps a password in a URL that cannot be parsed out of the error.
func withoutUser(text string) string {
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		return "…" + text[at:]
	}
	return text
}

// checkedToken never shows the value: it may be most of a real key.
func checkedToken(token string) (string, error) {
	token = strings.TrimSpace(token)
	if token == "" {
		return "", misconfigured("no API key: set Token, or the environment variable MESHAPI_API_KEY")
	}
	if !isVisibleASCII(token) {
		return "", misconfigured("the API key has characters that no key has (blanks, line breaks, non-ASCII)")
	}
	return token, nil
}

func isVisibleASCII(text string) bool {
	for index := range len(text) {
		if text[index] <= ' ' || text[index] > '~' {
			return false
		}
	}
	return true
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
