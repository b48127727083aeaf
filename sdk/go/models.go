package meshapi

import (
	"context"
	"encoding/json"
	"net/http"
)

// Models is the catalogue: the models this key may use.
type Models struct {
	connection *connection
}

// ListModelsParams selects models; nil or empty asks for all.
type ListModelsParams struct {
	// Type is "video".
	Type     string
	Provider string
}

func (p *ListModelsParams) query() query {
	var pairs query
	if p != nil && p.Type != "" {
		pairs = pairs.with("type", p.Type)
	}
	if p != nil && p.Provider != "" {
		pairs = pairs.with("provider", p.Provider)
	}
	return pairs
}

// List returns the models: GET /v1/models.
func (m Models) List(ctx context.Context, params *ListModelsParams, opts ...Option) ([]Model, error) {
	met, err := m.ask(ctx, modelsPath, params.query(), opts)
	if err != nil {
		return nil, err
	}
	return readModels(met)
}

// Get returns one model by its id, such as "mesh/diorama-1": GET /v1/models/{id}.
func (m Models) Get(ctx context.Context, modelID string, opts ...Option) (*Model, error) {
	path, err := modelPath(modelID)
	if err != nil {
		return nil, err
	}
	met, err := m.ask(ctx, path, nil, opts)
	if err != nil {
		return nil, err
	}
	model := &Model{}
	if err := decode(met, model); err != nil {
		return nil, err
	}
	model.RequestID = firstOf(model.RequestID, met.requestID())
	return model, nil
}

func (m Models) ask(ctx context.Context, path string, pairs query, opts []Option) (*answer, error) {
	c, err := m.connection.ready()
	if err != nil {
		return nil, err
	}
	read, err := readOptions(opts, anyCall)
	if err != nil {
		return nil, err
	}
	return c.exchange(ctx, c.request(http.MethodGet, path, pairs, read))
}

// readModels reads the bare array of the wire; {"data": [...]} around it is read too.
func readModels(met *answer) ([]Model, error) {
	var rows []json.RawMessage
	raw := json.RawMessage(met.body)
	if members, err := readObject(met.body); err == nil {
		raw = members.get("data")
	}
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, undecodable(met, err)
	}
	models := make([]Model, 0, len(rows))
	for _, row := range rows {
		var model Model
		if model.UnmarshalJSON(row) == nil {
			model.RequestID = firstOf(model.RequestID, met.requestID())
			models = append(models, model)
		}
	}
	return models, nil
}
