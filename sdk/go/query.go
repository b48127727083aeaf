package meshapi

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// query is name and value pairs in their order, before percent-encoding.
type query [][2]string

func (q query) with(name string, values ...string) query {
	for _, value := range values {
		q = append(q, [2]string{name, value})
	}
	return q
}

func (q query) withTime(name string, moment time.Time) query {
	if moment.IsZero() {
		return q
	}
	return q.with(name, moment.Format(time.RFC3339Nano))
}

// at asks for another page: the paging parameters give way to one of them, which keeps its place behind the limit.
func (q query) at(name, value string) query {
	var moved query
	for _, pair := range q {
		if pair[0] == "limit" {
			moved = append(moved, pair)
		}
	}
	moved = moved.with(name, value)
	for _, pair := range q {
		if !slices.Contains([]string{"limit", "offset", "after"}, pair[0]) {
			moved = append(moved, pair)
		}
	}
	return moved
}

// encode writes the pairs as the part of a URL behind the path, with its question mark.
func (q query) encode() string {
	if len(q) == 0 {
		return ""
	}
	parts := make([]string, len(q))
	for index, pair := range q {
		parts[index] = escapeQuery(pair[0]) + "=" + escapeQuery(pair[1])
	}
	return "?" + strings.Join(parts, "&")
}

// escapeQuery writes a space as %20, which every reader understands, not as a plus.
func escapeQuery(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func sortedNames[Value any](pairs map[string]Value) []string {
	return slices.Sorted(maps.Keys(pairs))
}

// addQuery adds pairs to a URL that may have a query already.
func addQuery(url string, pairs query) string {
	added := pairs.encode()
	if strings.Contains(url, "?") {
		added = "&" + strings.TrimPrefix(added, "?")
	}
	return url + added
}
