package meshapi

import (
	"encoding/json"
)

// VideoContentItem is one item of a prompt. Type names the member that carries the content.
//
// A medium is an http(s) URL that needs no login, or a data URI with its MIME type. Role is "first_frame",
// "last_frame", "reference_image", "reference_video" or "reference_audio". Subject names a reference, so that the text
// can cite it as @name.
type VideoContentItem struct {
	// Type is "text", "image_url", "video_url", "audio_url" or "draft_task".
	Type      string
	Text      *string
	ImageURL  *string
	VideoURL  *string
	AudioURL  *string
	DraftTask *DraftTask
	Role      *string
	Subject   *string
	// Extra is laid over the item: members newer than this package, or a whole object for a medium.
	Extra map[string]any
}

// DraftTask is a draft of yours whose final version is wanted.
type DraftTask struct {
	ID string `json:"id"`
}

// contentItemWire is the form that travels: media as objects.
type contentItemWire struct {
	Type      string     `json:"type"`
	Text      *string    `json:"text,omitempty"`
	ImageURL  *mediaWire `json:"image_url,omitempty"`
	VideoURL  *mediaWire `json:"video_url,omitempty"`
	AudioURL  *mediaWire `json:"audio_url,omitempty"`
	DraftTask *DraftTask `json:"draft_task,omitempty"`
	Role      *string    `json:"role,omitempty"`
	Subject   *string    `json:"subject,omitempty"`
}

type mediaWire struct {
	URL string `json:"url"`
}

// MarshalJSON writes the form of the wire: what was set, media as objects.
func (i VideoContentItem) MarshalJSON() ([]byte, error) {
	return encodeWith(contentItemWire{
		Type:      i.Type,
		Text:      i.Text,
		ImageURL:  mediumOf(i.ImageURL),
		VideoURL:  mediumOf(i.VideoURL),
		AudioURL:  mediumOf(i.AudioURL),
		DraftTask: i.DraftTask,
		Role:      i.Role,
		Subject:   i.Subject,
	}, i.Extra)
}

func mediumOf(url *string) *mediaWire {
	if url == nil {
		return nil
	}
	return &mediaWire{URL: *url}
}

// UnmarshalJSON reads an item, media in both spellings, as a plain URL or as an object.
func (i *VideoContentItem) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	*i = VideoContentItem{}
	var media [3]json.RawMessage
	names := []string{"image_url", "video_url", "audio_url"}
	for index, name := range names {
		media[index] = members[name]
		delete(members, name)
	}
	for index, target := range []**string{&i.ImageURL, &i.VideoURL, &i.AudioURL} {
		url, plain := readMedium(media[index])
		if !plain {
			members[names[index]] = media[index]
		}
		*target = url
	}
	return decodeWith(members, &i.Extra, map[string]any{
		"type": &i.Type, "text": &i.Text, "draft_task": &i.DraftTask, "role": &i.Role, "subject": &i.Subject,
	})
}

// readMedium returns the URL of a medium; plain is false for an object that has more than a URL.
func readMedium(raw json.RawMessage) (url *string, plain bool) {
	if value, ok := readText(raw); ok {
		return &value, true
	}
	members, ok := split(raw)
	if !ok {
		return nil, len(raw) == 0 || string(raw) == "null"
	}
	value, ok := readText(members.get("url"))
	if !ok || len(members) > 1 {
		return nil, false
	}
	return &value, true
}
