package meshapi

import (
	"errors"
	"iter"
	"net/http"
	"testing"
)

func TestAWalkEndsAtTheFirstError(t *testing.T) {
	server := newRecorder(t,
		prepared{status: http.StatusOK, body: `{"data":[{"id":"b"}],"has_more":true}`}, prepared{status: http.StatusForbidden})
	var ids []string
	var last error
	for task, err := range server.client(t).Videos.Iter(testContext(t), nil) {
		if last = err; err == nil {
			ids = append(ids, task.ID)
		}
	}
	if len(ids) != 1 || !errors.Is(last, ErrForbidden) || len(server.all()) != 2 {
		t.Errorf("walked over %v, %v", ids, last)
	}
	for _, walk := range []iter.Seq2[*VideoTaskResponse, error]{
		New(Config{BaseURL: "nowhere"}).Videos.Iter(testContext(t), nil),
		server.client(t).Videos.Iter(testContext(t), nil, WithLastFrame()),
		server.client(t).Videos.Watch(testContext(t), ".."),
	} {
		rounds := 0
		for task, err := range walk {
			if rounds++; task != nil || err == nil {
				t.Errorf("got %v, %v", task, err)
			}
		}
		if rounds != 1 {
			t.Errorf("%d rounds, want one with the error", rounds)
		}
	}
	if _, err := server.client(t).Videos.List(testContext(t), nil, WithMaxWait(1)); !errors.Is(err, ErrConfiguration) {
		t.Errorf("got %v", err)
	}
}
