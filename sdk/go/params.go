package meshapi

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// VideoGenerationParams is what a generation is asked for. Duration and ExecutionExpiresAfter are seconds.
//
// What a model lacks is dropped by the server and named in UnsupportedParams of the answer; what it cannot render is
// refused (ErrUnprocessable) before anything is paid. Fields that are nil are left out.
type VideoGenerationParams struct {
	// Model is a catalogue id such as "byteplus/dreamina-seedance-2-0". Required.
	Model string `json:"model"`
	// Content is the prompt: 1 to 64 items. Required.
	Content []VideoContentItem `json:"content"`

	Duration              *int     `json:"duration,omitempty"`
	Frames                *int     `json:"frames,omitempty"`
	Resolution            *string  `json:"resolution,omitempty"`
	Ratio                 *string  `json:"ratio,omitempty"`
	Seed                  *int     `json:"seed,omitempty"`
	GenerateAudio         *bool    `json:"generate_audio,omitempty"`
	ReturnLastFrame       *bool    `json:"return_last_frame,omitempty"`
	CameraFixed           *bool    `json:"camera_fixed,omitempty"`
	Watermark             *bool    `json:"watermark,omitempty"`
	Draft                 *bool    `json:"draft,omitempty"`
	CallbackURL           *string  `json:"callback_url,omitempty"`
	ServiceTier           *string  `json:"service_tier,omitempty"`
	ExecutionExpiresAfter *int     `json:"execution_expires_after,omitempty"`
	Priority              *int     `json:"priority,omitempty"`
	SafetyIdentifier      *string  `json:"safety_identifier,omitempty"`
	NegativePrompt        *string  `json:"negative_prompt,omitempty"`
	GuidanceScale         *float64 `json:"guidance_scale,omitempty"`
	NumInferenceSteps     *int     `json:"num_inference_steps,omitempty"`
	OutputFormat          *string  `json:"output_format,omitempty"`
	OmniReferenceTaskType *string  `json:"omni_reference_task_type,omitempty"`
	// MaxCostUSD is the most the task may cost, a decimal figure such as "0.50"; what would cost more is refused
	// (ErrSpendLimit) before anything is paid.
	MaxCostUSD *string `json:"max_cost_usd,omitempty"`
	// Metadata is up to 16 pairs that come back with the task and that List can filter by.
	Metadata map[string]string `json:"-"`
	// Extra is laid over the body: parameters newer than this package.
	Extra map[string]any `json:"-"`
}

// paramsWire has the fields of VideoGenerationParams without its methods. An empty Metadata is a value and travels.
type paramsWire struct {
	*plainParams
	Metadata *map[string]string `json:"metadata,omitempty"`
}

type plainParams VideoGenerationParams

// MarshalJSON writes the form of the wire: what was set.
func (p VideoGenerationParams) MarshalJSON() ([]byte, error) {
	wire := paramsWire{plainParams: (*plainParams)(&p)}
	if p.Content == nil {
		wire.Content = []VideoContentItem{}
	}
	if p.Metadata != nil {
		wire.Metadata = &p.Metadata
	}
	return encodeWith(wire, p.Extra)
}

// UnmarshalJSON reads the form of the wire, for parameters kept in files. What this package does not know goes to Extra.
func (p *VideoGenerationParams) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	*p = VideoGenerationParams{}
	return decodeWith(members, &p.Extra, map[string]any{
		"model": &p.Model, "content": &p.Content, "duration": &p.Duration, "frames": &p.Frames,
		"resolution": &p.Resolution, "ratio": &p.Ratio, "seed": &p.Seed, "generate_audio": &p.GenerateAudio,
		"return_last_frame": &p.ReturnLastFrame, "camera_fixed": &p.CameraFixed, "watermark": &p.Watermark,
		"draft": &p.Draft, "callback_url": &p.CallbackURL, "service_tier": &p.ServiceTier,
		"execution_expires_after": &p.ExecutionExpiresAfter, "priority": &p.Priority,
		"safety_identifier": &p.SafetyIdentifier, "negative_prompt": &p.NegativePrompt,
		"guidance_scale": &p.GuidanceScale, "num_inference_steps": &p.NumInferenceSteps,
		"output_format": &p.OutputFormat, "omni_reference_task_type": &p.OmniReferenceTaskType,
		"max_cost_usd": &p.MaxCostUSD, "metadata": &p.Metadata,
	})
}

// encodeWith encodes value, an object, and lays extra over it. A nil in extra leaves its member out.
func encodeWith(value any, extra map[string]any) ([]byte, error) {
	encoded, err := encode(value)
	if err != nil || len(extra) == 0 {
		return encoded, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(encoded, &members); err != nil {
		return nil, err
	}
	for name, member := range extra {
		if member == nil {
			delete(members, name)
			continue
		}
		if members[name], err = encode(member); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return encode(members)
}

// encode is json.Marshal without its escapes for HTML.
func encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// decodeWith decodes the members that known has a place for; nulls are absent, the others go to extra.
func decodeWith(members map[string]json.RawMessage, extra *map[string]any, known map[string]any) error {
	for name, raw := range members {
		if string(raw) == "null" {
			continue
		}
		target, ok := known[name]
		if !ok {
			if *extra == nil {
				*extra = map[string]any{}
			}
			(*extra)[name] = raw
			continue
		}
		if err := json.Unmarshal(raw, target); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
