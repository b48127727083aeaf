package meshapi

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// serverSentEvent is one dispatched event; id is the last event id as it stands then.
type serverSentEvent struct {
	name, data, id string
}

// eventParser reads Server-Sent Events from bytes as they come (WHATWG HTML section 9.2.6; contract: sse). It does no I/O.
type eventParser struct {
	lastEventID string
	retry       *time.Duration // the last reconnection time the stream set

	begun   bool // the byte order mark is behind
	afterCR bool // a line feed that comes next belongs to the line end before
	rest    []byte
	name    string
	data    []string
}

var byteOrderMark = []byte("\uFEFF")

// feed takes bytes, cut anywhere, and returns the events they complete.
func (p *eventParser) feed(chunk []byte) []serverSentEvent {
	p.rest = append(p.rest, chunk...)
	if !p.begun {
		if len(p.rest) < len(byteOrderMark) && bytes.HasPrefix(byteOrderMark, p.rest) {
			return nil
		}
		p.rest = bytes.TrimPrefix(p.rest, byteOrderMark)
		p.begun = true
	}
	var events []serverSentEvent
	for {
		line, ok := p.line()
		if !ok {
			return events
		}
		if event, ok := p.take(line); ok {
			events = append(events, event)
		}
	}
}

// line cuts off the next whole line. Only CR, LF and CRLF end one.
func (p *eventParser) line() (string, bool) {
	if p.afterCR && len(p.rest) > 0 {
		p.rest = bytes.TrimPrefix(p.rest, []byte("\n"))
		p.afterCR = false
	}
	end := bytes.IndexAny(p.rest, "\r\n")
	if end < 0 {
		return "", false
	}
	line := strings.ToValidUTF8(string(p.rest[:end]), "\uFFFD")
	p.afterCR = p.rest[end] == '\r'
	p.rest = p.rest[end+1:]
	return line, true
}

func (p *eventParser) take(line string) (serverSentEvent, bool) {
	if line == "" {
		return p.dispatch()
	}
	field, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch field {
	case "data":
		p.data = append(p.data, value)
	case "event":
		p.name = value
	case "id":
		if !strings.Contains(value, "\x00") {
			p.lastEventID = value
		}
	case "retry":
		if milliseconds, err := strconv.ParseUint(value, 10, 31); err == nil {
			wait := time.Duration(milliseconds) * time.Millisecond
			p.retry = &wait
		}
	}
	return serverSentEvent{}, false
}

// dispatch ends an event; one without data is none.
func (p *eventParser) dispatch() (serverSentEvent, bool) {
	event := serverSentEvent{firstOf(p.name, "message"), strings.Join(p.data, "\n"), p.lastEventID}
	ok := len(p.data) > 0
	p.name, p.data = "", nil
	return event, ok
}
