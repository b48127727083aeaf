package meshapi

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"
)

// FuzzObject holds the reader of objects against encoding/json: the same members with the same values, the same refusals.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { "a" : 1 , "b":"x,}]\"" } `, `{"a":{"b":[1,{"c":"]"}]},"d":[]}`, `{"a":1,"a":2}`, `{"\u0061":true}`,
		`{"a":[1,"x",null,{"b":2} , []]}`, `[1]`, `null`, `"x"`, `{"a"`, `{"a":-1.5e3,"b":false}`, `{"":""}`, "{\"a\":\"\\\\\"}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !utf8.Valid(data) {
			t.Skip() // encoding/json mends names that are no UTF-8
		}
		members, err := readObject(data)
		var want map[string]json.RawMessage
		wantErr := json.Unmarshal(data, &want)
		if (err == nil) != (wantErr == nil && want != nil) {
			t.Fatalf("%q: got %v, encoding/json says %v, %v", data, err, wantErr, want)
		}
		for name, raw := range want {
			got := members.get(name)
			if !bytes.Equal(got, raw) {
				t.Errorf("%q: %q is %q, want %q", data, name, got, raw)
			}
			var parts []json.RawMessage
			if json.Unmarshal(raw, &parts) == nil && !reflect.DeepEqual(elements(got), parts) {
				t.Errorf("%q: the elements of %q are %q, want %q", data, name, elements(got), parts)
			}
			var text string
			if json.Unmarshal(raw, &text) == nil && members.text(name) != text {
				t.Errorf("%q: %q reads as %q, want %q", data, name, members.text(name), text)
			}
		}
	})
}

// FuzzTask: whatever a server sends, a decoder neither panics nor refuses a JSON object, and what was read once reads the
// same again.
func FuzzTask(f *testing.F) {
	for _, seed := range []string{succeeded, running, `{"error":{"code":1},"usage":{},"content":[{"type":"x","x":{"url":"u"}}]}`, `[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var task VideoTaskResponse
		if err := json.Unmarshal(data, &task); err != nil {
			return
		}
		encoded, err := json.Marshal(task)
		if err != nil {
			t.Fatal(err)
		}
		var again VideoTaskResponse
		if err := json.Unmarshal(encoded, &again); err != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		task.Raw, again.Raw = nil, nil
		if len(task.Metadata) == 0 {
			task.Metadata, again.Metadata = nil, nil
		}
		if !reflect.DeepEqual(task, again) {
			t.Errorf("%q\ngot  %+v\nthen %+v", data, task, again)
		}
	})
}

func TestTextThatIsNoUTF8IsMended(t *testing.T) {
	members, err := readObject([]byte("{\"id\":\"a\xffb\",\"c\":\"\\ud800\"}"))
	if err != nil || members.text("id") != "a\uFFFDb" || members.text("c") != "\uFFFD" {
		t.Errorf("got %q, %q, %v", members.text("id"), members.text("c"), err)
	}
}
