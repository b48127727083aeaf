package meshapi

import (
	"bytes"
	"context"
	"errors"
	"net/http"
)

// Videos is the video generation tasks: create, watch, fetch and remove them.
type Videos struct {
	connection *connection
}

// Generate starts a task: POST /v1/video/generations. It returns at once; the task goes on at the server.
//
// One idempotency key covers all attempts of one call, so that a repetition cannot pay twice. Where the answer is lost
// at a server that does not honour such keys, nothing is sent again and the error has TaskMayExist set.
func (v Videos) Generate(
	ctx context.Context, params VideoGenerationParams, opts ...Option,
) (*CreateVideoGenerationResponse, error) {
	c, err := v.connection.ready()
	if err != nil {
		return nil, err
	}
	read, err := readOptions(opts, createCall)
	if err != nil {
		return nil, err
	}
	if params.Extra["dry_run"] == true {
		return nil, misconfigured("dry_run creates nothing, so Generate refuses it; call Quote instead")
	}
	wanted := c.request(http.MethodPost, generationsPath, nil, read)
	wanted.repeat = repeatWithKey
	if wanted.body, err = encodeBody(params); err != nil {
		return nil, err
	}
	if wanted.key, err = keyOf(read); err != nil {
		return nil, err
	}
	met, err := c.exchange(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return readCreated(met, wanted)
}

// readCreated treats an answer without an id as lost: the task may well exist.
func readCreated(met *answer, wanted request) (*CreateVideoGenerationResponse, error) {
	created := &CreateVideoGenerationResponse{}
	err := created.UnmarshalJSON(met.body)
	if err == nil && created.ID == "" {
		err = errors.New("no task id")
	}
	if err != nil {
		lost := undecodable(met, err)
		lost.TaskMayExist, lost.IdempotencyKey = true, wanted.key
		return nil, lost
	}
	created.RequestID = firstOf(created.RequestID, met.requestID())
	return created, nil
}

func readTask(met *answer) (*VideoTaskResponse, error) {
	task := &VideoTaskResponse{}
	if err := decode(met, task); err != nil {
		return nil, err
	}
	task.RequestID = firstOf(task.RequestID, met.requestID())
	return task, nil
}

func keyOf(read options) (string, error) {
	if read.key != nil {
		return *read.key, nil
	}
	return newIdempotencyKey()
}

// Retrieve returns the task as it is now: GET /v1/video/generations/{task_id}. A failed task is no error.
func (v Videos) Retrieve(ctx context.Context, taskID string, opts ...Option) (*VideoTaskResponse, error) {
	met, err := v.onTask(ctx, http.MethodGet, taskID, "", repeatAlways, opts)
	if err != nil {
		return nil, err
	}
	return readTask(met)
}

// List returns one page of tasks, newest first: GET /v1/video/generations. nil asks for all.
func (v Videos) List(
	ctx context.Context, params *ListVideoGenerationsParams, opts ...Option,
) (*VideoTaskListResponse, error) {
	c, err := v.connection.ready()
	if err != nil {
		return nil, err
	}
	read, err := readOptions(opts, anyCall)
	if err != nil {
		return nil, err
	}
	return c.page(ctx, params.query(), read)
}

func (c *connection) page(ctx context.Context, pairs query, read options) (*VideoTaskListResponse, error) {
	met, err := c.exchange(ctx, c.request(http.MethodGet, generationsPath, pairs, read))
	if err != nil {
		return nil, err
	}
	page := &VideoTaskListResponse{}
	if err := decode(met, page); err != nil {
		return nil, err
	}
	page.RequestID = firstOf(page.RequestID, met.requestID())
	for index := range page.Data {
		page.Data[index].RequestID = firstOf(page.Data[index].RequestID, page.RequestID)
	}
	return page, nil
}

// Cancel ends a task that has not ended; ErrConflict when it has.
func (v Videos) Cancel(ctx context.Context, taskID string, opts ...Option) (*VideoTaskResponse, error) {
	met, err := v.onTask(ctx, http.MethodPost, taskID, "cancel", repeatAlways, opts)
	if err != nil {
		return nil, err
	}
	return readTask(met)
}

// Delete removes an ended task with its files, or cancels one that has not ended.
func (v Videos) Delete(ctx context.Context, taskID string, opts ...Option) (*DeleteVideoGenerationResponse, error) {
	met, err := v.onTask(ctx, http.MethodDelete, taskID, "", repeatNever, opts)
	if err != nil {
		return nil, err
	}
	deleted := &DeleteVideoGenerationResponse{}
	if len(bytes.TrimSpace(met.body)) == 0 { // 204: removed
		deleted.ID, deleted.Deleted = taskID, true
	} else if err := decode(met, deleted); err != nil {
		return nil, err
	}
	deleted.RequestID = firstOf(deleted.RequestID, met.requestID())
	return deleted, nil
}

// onTask performs a call on one task.
func (v Videos) onTask(
	ctx context.Context, method, taskID, action string, repeat repeatability, opts []Option,
) (*answer, error) {
	c, err := v.connection.ready()
	if err != nil {
		return nil, err
	}
	read, err := readOptions(opts, anyCall)
	if err != nil {
		return nil, err
	}
	path, err := generationPath(taskID, action)
	if err != nil {
		return nil, err
	}
	wanted := c.request(method, path, nil, read)
	wanted.repeat, wanted.taskID = repeat, taskID
	return c.exchange(ctx, wanted)
}
