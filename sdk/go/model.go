package meshapi

import (
	"bytes"
	"encoding/json"
)

// Model is a video model: what it is, what it can take, what it costs. It decodes as leniently as VideoTaskResponse.
type Model struct {
	ID               string   `json:"id"`
	Name             string   `json:"name"`
	Description      string   `json:"description"`
	Provider         string   `json:"provider"`
	Brand            string   `json:"brand"`
	ModelType        string   `json:"model_type"`
	IsFree           bool     `json:"is_free"`
	InputModalities  []string `json:"input_modalities"`
	OutputModalities []string `json:"output_modalities"`
	// Pricing holds decimal figures as strings, nil where a price is not known.
	Pricing map[string]any `json:"pricing"`

	SupportsVideoGeneration     bool `json:"supports_video_generation"`
	SupportsVideoFirstFrame     bool `json:"supports_video_first_frame"`
	SupportsVideoLastFrame      bool `json:"supports_video_last_frame"`
	SupportsVideoReferenceImage bool `json:"supports_video_reference_image"`
	SupportsVideoReferenceVideo bool `json:"supports_video_reference_video"`
	SupportsVideoReferenceAudio bool `json:"supports_video_reference_audio"`
	SupportsVideoNegativePrompt bool `json:"supports_video_negative_prompt"`

	// Video is the limits, nil where the server does not tell them.
	Video *ModelLimits `json:"video"`
	// RequestID names the request that brought this value.
	RequestID string `json:"request_id,omitempty"`
	// Raw is the row as it came, for members that are newer than this package.
	Raw json.RawMessage `json:"-"`
}

// ModelLimits is what a video model can render. Lists that are nil are not known, or the model has no such parameter.
type ModelLimits struct {
	// Durations are seconds; -1 means that the model can decide.
	Durations   []int    `json:"durations"`
	Resolutions []string `json:"resolutions"`
	Ratios      []string `json:"ratios"`
	// FPS are frames per second.
	FPS []int `json:"fps"`
	// Audio, Seed, CameraFixed and Draft tell whether the model has the parameter.
	Audio       bool `json:"audio"`
	Seed        bool `json:"seed"`
	CameraFixed bool `json:"camera_fixed"`
	Draft       bool `json:"draft"`
	// MaxImages is the most images of one request, nil where that is not known.
	MaxImages *int `json:"max_images"`
}

// UnmarshalJSON reads a row leniently; only what is no JSON object is an error.
func (m *Model) UnmarshalJSON(data []byte) error {
	members, err := readObject(data)
	if err != nil {
		return err
	}
	*m = Model{
		ID:                          members.text("id"),
		Name:                        members.text("name"),
		Description:                 members.text("description"),
		Provider:                    members.text("provider"),
		Brand:                       members.text("brand"),
		ModelType:                   members.text("model_type"),
		IsFree:                      members.isTrue("is_free"),
		InputModalities:             members.texts("input_modalities"),
		OutputModalities:            members.texts("output_modalities"),
		Pricing:                     readOrZero[map[string]any](members.get("pricing")),
		SupportsVideoGeneration:     members.isTrue("supports_video_generation"),
		SupportsVideoFirstFrame:     members.isTrue("supports_video_first_frame"),
		SupportsVideoLastFrame:      members.isTrue("supports_video_last_frame"),
		SupportsVideoReferenceImage: members.isTrue("supports_video_reference_image"),
		SupportsVideoReferenceVideo: members.isTrue("supports_video_reference_video"),
		SupportsVideoReferenceAudio: members.isTrue("supports_video_reference_audio"),
		SupportsVideoNegativePrompt: members.isTrue("supports_video_negative_prompt"),
		Video:                       readLimits(members.get("video")),
		RequestID:                   members.text("request_id"),
		Raw:                         bytes.Clone(data),
	}
	return nil
}

func readLimits(raw json.RawMessage) *ModelLimits {
	members, ok := split(raw)
	if !ok {
		return nil
	}
	return &ModelLimits{
		Durations:   readOrZero[[]int](members.get("durations")),
		Resolutions: members.texts("resolutions"),
		Ratios:      members.texts("ratios"),
		FPS:         readOrZero[[]int](members.get("fps")),
		Audio:       members.isTrue("audio"),
		Seed:        members.isTrue("seed"),
		CameraFixed: members.isTrue("camera_fixed"),
		Draft:       members.isTrue("draft"),
		MaxImages:   members.integer("max_images"),
	}
}
