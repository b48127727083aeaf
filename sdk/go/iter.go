package meshapi

import (
	"context"
	"iter"
	"strconv"
)

// Iter walks through all tasks that params select, newest first; nil selects all. A page is fetched when the loop gets
// to it. After an error the walk ends.
//
//	for task, err := range client.Videos.Iter(ctx, nil) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(task.ID, task.Status)
//	}
func (v Videos) Iter(
	ctx context.Context, params *ListVideoGenerationsParams, opts ...Option,
) iter.Seq2[*VideoTaskResponse, error] {
	return func(yield func(*VideoTaskResponse, error) bool) {
		c, err := v.connection.ready()
		if err != nil {
			yield(nil, err)
			return
		}
		read, err := readOptions(opts, anyCall)
		if err != nil {
			yield(nil, err)
			return
		}
		w := newWalk(params)
		for !w.ended {
			page, err := c.page(ctx, w.asked, read)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, task := range w.take(page) {
				if !yield(task, nil) {
					return
				}
			}
		}
	}
}

// walk decides which page comes next and which tasks of a page are new (contract: paging). It goes by cursor where the
// server knows it, which costs the same at any depth, and by offset where it does not.
type walk struct {
	selection query // what the caller asked for
	asked     query // the page to fetch
	ended     bool

	byOffset  bool
	start     int // the offset the caller began at
	received  int
	firstPage map[string]bool
	seen      map[string]bool
}

func newWalk(params *ListVideoGenerationsParams) *walk {
	w := &walk{selection: params.query(), seen: map[string]bool{}}
	w.asked = w.selection
	if params != nil && params.Offset != nil {
		w.byOffset, w.start = true, *params.Offset
	}
	return w
}

// take returns the tasks of a page that the caller has not had, and moves on.
func (w *walk) take(page *VideoTaskListResponse) []*VideoTaskResponse {
	if !w.byOffset && w.received > 0 && w.beganAnew(page) {
		// The server ignored the cursor: this page is thrown away.
		w.byOffset = true
		w.asked = w.selection.at("offset", strconv.Itoa(w.start+w.received))
		return nil
	}
	w.received += len(page.Data)
	fresh := w.fresh(page)
	if w.firstPage == nil {
		w.firstPage = idsOf(page)
	}
	position := w.start + w.received
	switch {
	case page.isLast(position):
		w.ended = true
	case w.byOffset:
		w.asked = w.selection.at("offset", strconv.Itoa(position))
	default:
		w.asked = w.selection.at("after", page.Data[len(page.Data)-1].ID)
	}
	return fresh
}

func (w *walk) beganAnew(page *VideoTaskListResponse) bool {
	for _, task := range page.Data {
		if w.firstPage[task.ID] {
			return true
		}
	}
	return false
}

// fresh passes over what was handed out before; by cursor nothing comes twice.
func (w *walk) fresh(page *VideoTaskListResponse) []*VideoTaskResponse {
	var fresh []*VideoTaskResponse
	for index := range page.Data {
		task := &page.Data[index]
		if !w.byOffset || !w.seen[task.ID] {
			fresh = append(fresh, task)
		}
	}
	for id := range idsOf(page) {
		w.seen[id] = true
	}
	return fresh
}

func idsOf(page *VideoTaskListResponse) map[string]bool {
	ids := map[string]bool{}
	for _, task := range page.Data {
		if task.ID != "" {
			ids[task.ID] = true
		}
	}
	return ids
}
