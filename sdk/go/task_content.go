package meshapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"sort"
	"strings"
)

const (
	videoURL     = "video_url"
	lastFrameURL = "last_frame_url"
)

// VideoTaskContent is one result of a task: Type is "video_url" or "last_frame_url", URL where it can be fetched.
type VideoTaskContent struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

// VideoTaskContentList is the results of a task, the video first. It decodes both forms of the wire, the object
// {"video_url": ...} and the list [{"type": "video_url", "url": ...}].
type VideoTaskContentList []VideoTaskContent

// VideoURL is the URL of the video, "" when there is none.
func (l VideoTaskContentList) VideoURL() string { return l.first(videoURL) }

// LastFrameURL is the URL of the last frame, "" when none was asked for.
func (l VideoTaskContentList) LastFrameURL() string { return l.first(lastFrameURL) }

func (l VideoTaskContentList) first(kind string) string {
	for _, item := range l {
		if item.Type == kind {
			return item.URL
		}
	}
	return ""
}

// UnmarshalJSON reads either form. What is no result is passed over; only what is no JSON is an error.
func (l *VideoTaskContentList) UnmarshalJSON(data []byte) error {
	if !json.Valid(data) {
		return json.Unmarshal(data, new(json.RawMessage))
	}
	*l = readContent(bytes.Trim(data, blanks))
	return nil
}

func readContent(raw json.RawMessage) VideoTaskContentList {
	if members, ok := split(raw); ok {
		return contentOfObject(members)
	}
	var list VideoTaskContentList
	for _, each := range elements(raw) {
		item, ok := split(each)
		if !ok {
			continue
		}
		if content := contentOfItem(item); content.URL != "" {
			list = append(list, content)
		}
	}
	return list
}

// contentOfObject puts the known results first; a result of a newer server is any other member ending in _url.
func contentOfObject(members object) VideoTaskContentList {
	names := []string{videoURL, lastFrameURL}
	var newer []string
	for _, each := range members {
		if name := string(each.name); strings.HasSuffix(name, "_url") && !slices.Contains(names, name) {
			newer = append(newer, name)
		}
	}
	sort.Strings(newer)
	var list VideoTaskContentList
	for _, name := range append(names, newer...) {
		if url := members.text(name); url != "" {
			list = append(list, VideoTaskContent{Type: name, URL: url})
		}
	}
	return list
}

// contentOfItem finds the URL under "url" or under the item's own type, plain or nested as in a request.
func contentOfItem(item object) VideoTaskContent {
	kind := item.text("type")
	if kind == "" {
		return VideoTaskContent{}
	}
	for _, name := range []string{"url", kind} {
		url := item.text(name)
		if url == "" {
			url = item.members(name).text("url")
		}
		if url != "" {
			return VideoTaskContent{Type: kind, URL: url}
		}
	}
	return VideoTaskContent{}
}
