package meshapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Usage is what the keys of this one's owner have used.
type Usage struct {
	connection *connection
}

// UsageParams says which usage is wanted. Fields that are unset are left out; nil asks for the server's default.
type UsageParams struct {
	// From and To are the first and the last day, both included. They are the days, in UTC, on which these moments
	// lie. The default is the last 30 days; a server takes at most 366.
	From time.Time
	To   time.Time
	// By is what to tell apart: "day", "key", "model", or several. Default: all three.
	By []string
}

// query gives the pairs in the order of the contract (usage-query).
func (p *UsageParams) query() query {
	if p == nil {
		return nil
	}
	return query(nil).withDay("from", p.From).withDay("to", p.To).with("by", p.By...)
}

func (q query) withDay(name string, moment time.Time) query {
	if moment.IsZero() {
		return q
	}
	return q.with(name, moment.UTC().Format(time.DateOnly))
}

// UsageReport is the usage from a day to a day, both included. It decodes as leniently as VideoTaskResponse.
type UsageReport struct {
	Object string `json:"object"`
	// From and To are days in UTC, such as "2026-11-21".
	From string       `json:"from"`
	To   string       `json:"to"`
	Data []UsageEntry `json:"data"`
	// Total is the sum of all entries.
	Total UsageFigures `json:"total"`

	RequestID string `json:"request_id,omitempty"`
	// Raw is the report as it came, for members that are newer than this package.
	Raw json.RawMessage `json:"-"`
}

// UsageEntry is the figures of one group. What is not told apart is "".
type UsageEntry struct {
	// Day is in UTC, such as "2026-11-21".
	Day   string `json:"day"`
	KeyID string `json:"key_id"`
	Model string `json:"model"`
	UsageFigures
}

// UsageFigures are sums over the tasks that were created in a time, in US dollars as decimal figures, "" where they are
// not known. Tasks that cost nothing whatever happens are in none of them.
type UsageFigures struct {
	Tasks   int    `json:"tasks"`
	CostUSD string `json:"cost_usd"`
	// HeldUSD is kept for tasks in flight.
	HeldUSD string `json:"held_usd"`
	// UnknownUSD is what the UnknownTasks may have cost, of which nobody could tell.
	UnknownUSD   string `json:"unknown_usd"`
	UnknownTasks int    `json:"unknown_tasks"`
}

// UnmarshalJSON reads leniently; only what is no JSON object is an error.
func (r *UsageReport) UnmarshalJSON(data []byte) error { return readWhole(data, r) }

func (r *UsageReport) read(members object, raw json.RawMessage) {
	*r = UsageReport{
		Object:    members.text("object"),
		From:      members.text("from"),
		To:        members.text("to"),
		Data:      readRows[UsageEntry](members.get("data")),
		Total:     readFigures(members.members("total")),
		RequestID: members.text("request_id"),
		Raw:       raw,
	}
}

func (r *UsageReport) broughtBy(requestID string) { r.RequestID = firstOf(r.RequestID, requestID) }

func (e *UsageEntry) read(members object, _ json.RawMessage) {
	*e = UsageEntry{
		Day:          members.text("day"),
		KeyID:        members.text("key_id"),
		Model:        members.text("model"),
		UsageFigures: readFigures(members),
	}
}

func readFigures(members object) UsageFigures {
	return UsageFigures{
		Tasks:        valueOf(members.integer("tasks")),
		CostUSD:      members.decimal("cost_usd"),
		HeldUSD:      members.decimal("held_usd"),
		UnknownUSD:   members.decimal("unknown_usd"),
		UnknownTasks: valueOf(members.integer("unknown_tasks")),
	}
}

// Get tells what was spent, is held and is in doubt: GET /v1/usage. Days and dimensions that the server refuses are
// ErrUnprocessable, and the error says why.
func (u Usage) Get(ctx context.Context, params *UsageParams, opts ...Option) (*UsageReport, error) {
	return ask[UsageReport](ctx, u.connection, call{method: http.MethodGet, path: usagePath, pairs: params.query()}, opts)
}
