package meshapi

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParamsOfAWrongTypeAreNamed(t *testing.T) {
	for text, mention := range map[string]string{
		`{"duration":"five"}`: "duration", `{"content":[{"text":7}]}`: "content", `[]`: "array", `{"content":[7]}`: "content",
	} {
		var params VideoGenerationParams
		if err := json.Unmarshal([]byte(text), &params); err == nil || !strings.Contains(err.Error(), mention) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	var content VideoTaskContentList
	if err := json.Unmarshal([]byte(` {"video_url":"u"} `), &content); err != nil || content.VideoURL() != "u" {
		t.Errorf("got %v, %v", content, err)
	}
	if err := content.UnmarshalJSON([]byte(`{"video_url"`)); err == nil {
		t.Error("what is no JSON was read")
	}
}
