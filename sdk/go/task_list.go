package meshapi

import (
	"bytes"
	"slices"
	"strconv"
	"time"
)

// ListVideoGenerationsParams says which tasks are wanted. Fields that are unset are left out; nil asks for all.
type ListVideoGenerationsParams struct {
	// Limit is the size of a page, 1 to 200; the server's default is 50.
	Limit *int
	// Offset passes over that many tasks. After costs the same at any depth.
	Offset *int
	// After is a task id: the page begins behind it.
	After string
	// Status and Model take one value or several.
	Status []string
	Model  []string
	// CreatedAfter is inclusive, CreatedBefore exclusive.
	CreatedAfter  time.Time
	CreatedBefore time.Time
	// Metadata selects tasks that carry all these pairs.
	Metadata map[string]string
}

// query gives the pairs in the order of the contract (list-query).
func (p *ListVideoGenerationsParams) query() query {
	if p == nil {
		return nil
	}
	var pairs query
	if p.Limit != nil {
		pairs = pairs.with("limit", strconv.Itoa(*p.Limit))
	}
	if p.Offset != nil {
		pairs = pairs.with("offset", strconv.Itoa(*p.Offset))
	}
	if p.After != "" {
		pairs = pairs.with("after", p.After)
	}
	pairs = pairs.with("status", p.Status...).with("model", p.Model...)
	pairs = pairs.withTime("created_after", p.CreatedAfter).withTime("created_before", p.CreatedBefore)
	for _, name := range sortedNames(p.Metadata) {
		pairs = pairs.with("metadata["+name+"]", p.Metadata[name])
	}
	return pairs
}

// VideoTaskListResponse is a page of tasks, newest first. Total counts all that the filters select.
type VideoTaskListResponse struct {
	Object  string              `json:"object"`
	Data    []VideoTaskResponse `json:"data"`
	HasMore bool                `json:"has_more"`
	Total   int                 `json:"total"`
	Limit   int                 `json:"limit"`
	Offset  int                 `json:"offset"`
	// RequestID names the request that brought this page.
	RequestID string `json:"request_id,omitempty"`

	// What the server left unsaid must not be mistaken for 0 or false.
	hasMore      *bool
	total, limit *int
}

// UnmarshalJSON reads a page leniently; rows that are no objects are passed over.
func (l *VideoTaskListResponse) UnmarshalJSON(data []byte) error {
	members, err := readObject(data)
	if err != nil {
		return err
	}
	*l = VideoTaskListResponse{
		Object:    members.text("object"),
		Data:      []VideoTaskResponse{},
		HasMore:   members.isTrue("has_more"),
		RequestID: members.text("request_id"),
		hasMore:   members.boolean("has_more"),
		total:     members.integer("total"),
		limit:     members.integer("limit"),
	}
	l.Total, l.Limit, l.Offset = valueOf(l.total), valueOf(l.limit), valueOf(members.integer("offset"))
	rows := elements(members.get("data"))
	l.Data = slices.Grow(l.Data, len(rows))
	for _, row := range rows {
		if members, ok := split(row); ok {
			var task VideoTaskResponse
			task.read(members)
			task.Raw = bytes.Clone(row)
			l.Data = append(l.Data, task)
		}
	}
	return nil
}

func valueOf(number *int) int {
	if number == nil {
		return 0
	}
	return *number
}

// isLast tells whether no page follows, given how many tasks lie up to its end (contract: paging).
func (l *VideoTaskListResponse) isLast(position int) bool {
	switch {
	case len(l.Data) == 0:
		return true
	case l.hasMore != nil:
		return !*l.hasMore
	case l.total != nil:
		return position >= *l.total
	}
	return l.limit == nil || len(l.Data) < *l.limit
}
