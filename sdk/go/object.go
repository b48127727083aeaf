package meshapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// object is a JSON object of which nothing is expected: a member that is absent, null or of another type reads as its
// zero value and never costs the others (contract: task-decoding, error-decoding).
//
// It is a view of the bytes it was read from. encoding/json would decode it into a map at four times the cost, or into a
// struct, where it does not compare names exactly and where one odd member is an error.
type object []member

type member struct {
	name []byte
	raw  json.RawMessage
}

// blanks are what JSON allows around values.
const blanks = " \t\r\n"

var errNoObject = errors.New("not a JSON object")

// readObject checks that data is JSON. What is inside needs no further check.
func readObject(data []byte) (object, error) {
	if !json.Valid(data) {
		// Only Unmarshal says what is wrong.
		return nil, json.Unmarshal(data, new(json.RawMessage))
	}
	members, ok := split(bytes.Trim(data, blanks))
	if !ok {
		return nil, errNoObject
	}
	return members, nil
}

// get is the value called name, nil when there is none; the last one if there are several.
func (o object) get(name string) json.RawMessage {
	for index := len(o) - 1; index >= 0; index-- {
		if string(o[index].name) == name {
			return o[index].raw
		}
	}
	return nil
}

// text is the string called name, "" when there is none.
func (o object) text(name string) string {
	value, _ := readText(o.get(name))
	return value
}

func readText(raw json.RawMessage) (value string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), true
	}
	return value, json.Unmarshal(raw, &value) == nil
}

func (o object) boolean(name string) *bool {
	switch string(o.get(name)) {
	case "true":
		return Bool(true)
	case "false":
		return Bool(false)
	}
	return nil
}

func (o object) isTrue(name string) bool { return string(o.get(name)) == "true" }

func (o object) number(name string) *float64 {
	value, ok := readNumber(o.get(name))
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
	value, ok := readNumber(o.get(name))
	if !ok || value != math.Trunc(value) || math.Abs(value) >= 1<<63 {
		return nil
	}
	exact, err := strconv.ParseInt(string(o.get(name)), 10, 64)
	if err != nil { // written with a fraction or an exponent
		exact = int64(value)
	}
	return &exact
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
	raw := o.get(name)
	if value, ok := readNumber(raw); ok && math.Abs(value) < 1<<53 {
		return int64(value)
	}
	value, _ := readText(raw)
	if moment, ok := readMoment(value); ok {
		return moment.Unix()
	}
	return 0
}

// readMoment reads an ISO 8601 text; without an offset it is UTC.
func readMoment(text string) (moment time.Time, ok bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if moment, err := time.Parse(layout, text); err == nil {
			return moment, true
		}
	}
	return time.Time{}, false
}

// decimal is a decimal figure, sent as a string or as a number.
func (o object) decimal(name string) string {
	if value, ok := readNumber(o.get(name)); ok {
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return o.text(name)
}

// texts is the list of strings called name, nil when it is no such list.
func (o object) texts(name string) []string { return readOrZero[[]string](o.get(name)) }

func (o object) textMap(name string) map[string]string {
	return readOrZero[map[string]string](o.get(name))
}

// members is the object called name, nil when it is none.
func (o object) members(name string) object {
	members, _ := split(o.get(name))
	return members
}

// readOrZero decodes raw whole or not at all.
func readOrZero[Value any](raw json.RawMessage) (value Value) {
	if len(raw) == 0 || string(raw) == "null" {
		return value
	}
	var decoded Value
	if json.Unmarshal(raw, &decoded) != nil {
		return value
	}
	return decoded
}

// split takes apart a JSON object that is known to be valid and to have no blanks around it.
func split(raw json.RawMessage) (object, bool) {
	if len(raw) == 0 || raw[0] != '{' {
		return nil, false
	}
	members := make(object, 0, 1+bytes.Count(raw, []byte(`":`)))
	for at := 1; ; {
		at = skipTo(raw, at, '"', '}')
		if raw[at] == '}' {
			return members, true
		}
		end := skipValue(raw, at)
		name := raw[at+1 : end-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			plain, _ := readText(raw[at:end])
			name = []byte(plain)
		}
		at = skipBlanks(raw, skipTo(raw, end, ':', ':')+1)
		end = skipValue(raw, at)
		members = append(members, member{name, raw[at:end:end]})
		at = end
	}
}

// elements takes apart a JSON array that is known to be valid; nil when it is none.
func elements(raw json.RawMessage) []json.RawMessage {
	if len(raw) == 0 || raw[0] != '[' {
		return nil
	}
	parts := []json.RawMessage{}
	for at := 1; ; {
		if at = skipBlanks(raw, at); raw[at] == ',' {
			at = skipBlanks(raw, at+1)
		}
		if raw[at] == ']' {
			return parts
		}
		end := skipValue(raw, at)
		parts = append(parts, raw[at:end:end])
		at = end
	}
}

// skipTo finds the next of two characters, which may stand between values only.
func skipTo(raw []byte, at int, one, other byte) int {
	for raw[at] != one && raw[at] != other {
		at++
	}
	return at
}

func skipBlanks(raw []byte, at int) int {
	for raw[at] == ' ' || raw[at] == '\t' || raw[at] == '\r' || raw[at] == '\n' {
		at++
	}
	return at
}

// skipValue returns where the value that begins at ends.
func skipValue(raw []byte, at int) int {
	for depth := 0; at < len(raw); at++ {
		switch raw[at] {
		case '"':
			at = skipText(raw, at)
			if depth == 0 {
				return at + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return at // of what encloses a number or a word
			}
			if depth--; depth == 0 {
				return at + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return at
			}
		}
	}
	return at
}

// skipText returns where the closing quotation mark is.
func skipText(raw []byte, at int) int {
	for at++; raw[at] != '"'; at++ {
		if raw[at] == '\\' {
			at++
		}
	}
	return at
}
