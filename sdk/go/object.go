package meshapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"
)

// object is a JSON object of which nothing is expected: a member that is absent, null or of another type reads as its
// zero value and never costs the others (contract: task-decoding, error-decoding). Names are compared exactly, which
// encoding/json does not do for structs.
type object map[string]json.RawMessage

var errNoObject = errors.New("not a JSON object")

func readObject(data []byte) (object, error) {
	if !isObject(data) {
		return nil, errNoObject
	}
	var members object
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	return members, nil
}

func isObject(data []byte) bool {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{'
}

// text is the string called name, "" when there is none.
func (o object) text(name string) string {
	value, _ := readText(o[name])
	return value
}

func readText(raw json.RawMessage) (value string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return value, json.Unmarshal(raw, &value) == nil
}

func (o object) boolean(name string) *bool {
	switch string(o[name]) {
	case "true":
		return Bool(true)
	case "false":
		return Bool(false)
	}
	return nil
}

func (o object) isTrue(name string) bool { return string(o[name]) == "true" }

func (o object) number(name string) *float64 {
	value, ok := readNumber(o[name])
	if !ok {
		return nil
	}
	return &value
}

func readNumber(raw json.RawMessage) (float64, bool) {
	if len(raw) == 0 || (raw[0] != '-' && (raw[0] < '0' || raw[0] > '9')) {
		return 0, false
	}
	value, err := strconv.ParseFloat(string(raw), 64)
	return value, err == nil
}

// whole is the whole number called name; 5.0 is one, 5.5 is not.
func (o object) whole(name string) *int64 {
	raw := o[name]
	if value, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return &value
	}
	value, ok := readNumber(raw)
	if !ok || value != math.Trunc(value) || math.Abs(value) >= 1<<63 {
		return nil
	}
	cut := int64(value)
	return &cut
}

func (o object) integer(name string) *int {
	value := o.whole(name)
	if value == nil || int64(int(*value)) != *value {
		return nil
	}
	return Int(int(*value))
}

// moment is Unix seconds from a number or an ISO 8601 text (without an offset: UTC), 0 when there are none.
func (o object) moment(name string) int64 {
	raw := o[name]
	if value, ok := readNumber(raw); ok && math.Abs(value) < 1<<53 {
		return int64(value)
	}
	value, _ := readText(raw)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if moment, err := time.Parse(layout, value); err == nil {
			return moment.Unix()
		}
	}
	return 0
}

// decimal is a decimal figure, sent as a string or as a number.
func (o object) decimal(name string) string {
	if value, ok := readNumber(o[name]); ok {
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return o.text(name)
}

// texts is the list of strings called name, nil when it is no such list.
func (o object) texts(name string) []string {
	return readOrZero[[]string](o[name])
}

func (o object) textMap(name string) map[string]string {
	return readOrZero[map[string]string](o[name])
}

// readOrZero decodes raw whole or not at all.
func readOrZero[Value any](raw json.RawMessage) (value Value) {
	if len(raw) == 0 {
		return value
	}
	var decoded Value
	if json.Unmarshal(raw, &decoded) != nil {
		return value
	}
	return decoded
}

// members is the object called name, nil when it is none.
func (o object) members(name string) object {
	members, _ := readObject(o[name])
	return members
}
