package meshapi

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
)

// call is a call that is one request and whose answer is one JSON object.
type call struct {
	method string
	path   string
	pairs  query
	body   []byte
	repeat repeatability
}

// result is a pointer to a value that an answer is read into, and that knows the request which brought it.
type result[Value any] interface {
	*Value
	json.Unmarshaler
	broughtBy(requestID string)
}

// ask performs a call and reads its answer.
func ask[Value any, Pointer result[Value]](
	ctx context.Context, c *connection, wanted call, opts []Option,
) (*Value, error) {
	c, err := c.ready()
	if err != nil {
		return nil, err
	}
	read, err := readOptions(opts, anyCall)
	if err != nil {
		return nil, err
	}
	sent := c.request(wanted.method, wanted.path, wanted.pairs, read)
	sent.body, sent.repeat = wanted.body, wanted.repeat
	met, err := c.exchange(ctx, sent)
	if err != nil {
		return nil, err
	}
	var value Value
	if err := decode(met, Pointer(&value)); err != nil {
		return nil, err
	}
	Pointer(&value).broughtBy(met.requestID())
	return &value, nil
}

// walkRows hands out the rows of page after page, each fetched when the loop gets to it, beginning behind after. To read
// a page is to tell its rows and the cursor of the next one, which is empty where there is none.
func walkRows[Page, Row any](
	after string, fetch func(after string) (*Page, error), read func(*Page) (rows []Row, next string),
) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		for {
			page, err := fetch(after)
			if err != nil {
				yield(nil, err)
				return
			}
			rows, next := read(page)
			for index := range rows {
				if !yield(&rows[index], nil) {
					return
				}
			}
			if next == "" || next == after { // a cursor that stands still would be asked for for ever
				return
			}
			after = next
		}
	}
}

// reader is what takes over the members of a JSON object, and the object as it came.
type reader interface {
	read(members object, raw json.RawMessage)
}

// readWhole reads an object leniently; only what is no JSON object is an error.
func readWhole(data []byte, into reader) error {
	members, err := readObject(data)
	if err != nil {
		return err
	}
	into.read(members, bytes.Clone(data))
	return nil
}

// readRows reads a list of objects; what is no object is passed over.
func readRows[Row any, Pointer interface {
	*Row
	reader
}](raw json.RawMessage) []Row {
	rows := []Row{}
	for _, each := range elements(raw) {
		if members, ok := split(each); ok {
			var row Row
			Pointer(&row).read(members, bytes.Clone(each))
			rows = append(rows, row)
		}
	}
	return rows
}
