package meshapi

import (
	"context"
	"iter"
	"time"
)

const (
	defaultPollInterval = 2 * time.Second
	minPollInterval     = 10 * time.Millisecond
)

// Wait waits until the task has ended. It follows the server's events, else holds requests open, else polls; a passing
// fault is a missed look, not the end of the wait.
//
// A wait needs an end: the deadline of ctx, or WithMaxWait. When it is reached the error is a *WaitTimeoutError, and the
// task goes on. A task that ended without a result is a *TaskFailedError; the task is returned with it.
func (v Videos) Wait(ctx context.Context, taskID string, opts ...Option) (*VideoTaskResponse, error) {
	var last *VideoTaskResponse
	for task, err := range v.Watch(ctx, taskID, opts...) {
		if err != nil {
			return last, err
		}
		last = task
	}
	return last, last.failure()
}

// failure is the error a task's end stands for, nil for a success.
func (t *VideoTaskResponse) failure() error {
	if t.Status == StatusSucceeded {
		return nil
	}
	return &TaskFailedError{Task: t}
}

// Watch gives the task at every change of its status, its progress or its place in the queue, the last time when it has
// ended. A failed task is no error here; a wait that runs out is. Like Wait it needs an end.
func (v Videos) Watch(ctx context.Context, taskID string, opts ...Option) iter.Seq2[*VideoTaskResponse, error] {
	return func(yield func(*VideoTaskResponse, error) bool) {
		w, err := v.newWatch(ctx, taskID, opts)
		if err == nil {
			defer w.cancel()
			w.show = func(task *VideoTaskResponse) bool { return yield(task, nil) }
			err = w.run()
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// GenerateAndWait is Generate and then Wait. That the wait has an end is checked before anything is created. Whatever
// goes wrong in the wait, the task is returned with the error, so that what was paid for can be collected.
func (v Videos) GenerateAndWait(
	ctx context.Context, params VideoGenerationParams, opts ...Option,
) (*VideoTaskResponse, error) {
	waiting := without(opts, createCall)
	read, err := readOptions(waiting, waitCall)
	if err != nil {
		return nil, err
	}
	if _, err := endOf(ctx, read, time.Now()); err != nil {
		return nil, err
	}
	created, err := v.Generate(ctx, params, without(opts, waitCall)...)
	if err != nil {
		return nil, err
	}
	task := &created.VideoTaskResponse
	if task.IsTerminal() {
		return task, task.failure()
	}
	last, err := v.Wait(ctx, created.ID, waiting...)
	if last == nil {
		last = task
	}
	return last, err
}

// endOf is when a wait ends: the earlier of the context's deadline and the longest wait.
func endOf(ctx context.Context, read options, now time.Time) (time.Time, error) {
	end, ok := ctx.Deadline()
	if read.maxWait != nil {
		if latest := now.Add(*read.maxWait); !ok || latest.Before(end) {
			end, ok = latest, true
		}
	}
	if !ok {
		return end, misconfigured("a wait needs an end: give the context a deadline, or pass WithMaxWait")
	}
	return end, nil
}
