package meshapi

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"time"
)

// loggerFor is the given logger, else one that obeys MESHAPI_LOG, else one that is silent.
func loggerFor(given *slog.Logger) (*slog.Logger, error) {
	if given != nil {
		return given, nil
	}
	switch wish := strings.ToLower(strings.TrimSpace(os.Getenv("MESHAPI_LOG"))); wish {
	case "", "off", "0":
		return silent, nil
	case "debug", "info", "warning":
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: levels[wish]})), nil
	default:
		return silent, misconfigured("MESHAPI_LOG is %q; it takes debug, info, warning or off", wish)
	}
}

var levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warning": slog.LevelWarn}

var silent = slog.New(silence{})

// silence is a handler that no level reaches.
type silence struct{}

func (silence) Enabled(context.Context, slog.Level) bool  { return false }
func (silence) Handle(context.Context, slog.Record) error { return nil }
func (s silence) WithAttrs([]slog.Attr) slog.Handler      { return s }
func (s silence) WithGroup(string) slog.Handler           { return s }

// tell logs one line about an attempt.
func (c *connection) tell(ctx context.Context, wanted request, met outcome, started time.Time) {
	if !c.log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	took := slog.Duration("took", c.clock.now().Sub(started).Round(time.Millisecond))
	if met.failure != nil {
		c.log.InfoContext(ctx, wanted.what(), took, "failed", met.failure.cause)
		return
	}
	c.log.InfoContext(ctx, wanted.what(), took, "status", met.answer.status, "request", met.answer.requestID())
}
