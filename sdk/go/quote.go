package meshapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
)

// Quote is what a generation would cost. Money and quantities are decimal figures; "" where they are not known.
//
// It decodes as leniently as VideoTaskResponse.
type Quote struct {
	Object string `json:"object"`
	Model  string `json:"model"`
	// CostUSD is the whole price; "" where it is unknown, and Reason says why.
	CostUSD string      `json:"cost_usd"`
	Reason  string      `json:"reason"`
	Lines   []QuoteLine `json:"lines"`
	// UnsupportedParams names parameters that the model lacks and would drop.
	UnsupportedParams []string `json:"unsupported_params"`

	RequestID string `json:"request_id,omitempty"`
	// Raw is the quote as it came, for members that are newer than this package.
	Raw json.RawMessage `json:"-"`
}

// QuoteLine is one item of a quote: Quantity of Unit at UnitPriceUSD make CostUSD.
type QuoteLine struct {
	Item         string `json:"item"`
	Quantity     string `json:"quantity"`
	Unit         string `json:"unit"`
	UnitPriceUSD string `json:"unit_price_usd"`
	CostUSD      string `json:"cost_usd"`
}

// UnmarshalJSON reads leniently; only what is no JSON object is an error.
func (q *Quote) UnmarshalJSON(data []byte) error {
	members, err := readObject(data)
	if err != nil {
		return err
	}
	*q = Quote{
		Object:            members.text("object"),
		Model:             members.text("model"),
		CostUSD:           members.decimal("cost_usd"),
		Reason:            members.text("reason"),
		Lines:             []QuoteLine{},
		UnsupportedParams: members.texts("unsupported_params"),
		RequestID:         members.text("request_id"),
		Raw:               bytes.Clone(data),
	}
	for _, row := range elements(members.get("lines")) {
		if line, ok := split(row); ok {
			q.Lines = append(q.Lines, QuoteLine{
				Item:         line.text("item"),
				Quantity:     line.decimal("quantity"),
				Unit:         line.text("unit"),
				UnitPriceUSD: line.decimal("unit_price_usd"),
				CostUSD:      line.decimal("cost_usd"),
			})
		}
	}
	return nil
}

// Quote tells what Generate with the same arguments would cost: POST /v1/video/quote. It spends nothing and creates
// nothing, so it is repeated freely; an idempotency key is not sent along, for the create that follows may want it. What
// Generate would be refused for is refused here, too. A server without quotes answers 404 (ErrNotFound).
func (v Videos) Quote(ctx context.Context, params VideoGenerationParams, opts ...Option) (*Quote, error) {
	c, err := v.connection.ready()
	if err != nil {
		return nil, err
	}
	read, err := readOptions(opts, createCall)
	if err != nil {
		return nil, err
	}
	wanted := c.request(http.MethodPost, quotePath, nil, read)
	if wanted.body, err = encodeBody(params); err != nil {
		return nil, err
	}
	met, err := c.exchange(ctx, wanted)
	if err != nil {
		return nil, err
	}
	quote := &Quote{}
	if err := decode(met, quote); err != nil {
		return nil, err
	}
	quote.RequestID = firstOf(quote.RequestID, met.requestID())
	return quote, nil
}
