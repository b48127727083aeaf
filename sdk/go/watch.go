package meshapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// The server sends at least a comment every 15 s; a stream that is silent for longer is dead or held back by a proxy.
	streamSilence = 20 * time.Second
	// A stream that a proxy holds back would hide the end of the task; the last stretch before the deadline is polled.
	lastStretch     = 15 * time.Second
	longPoll        = 10 * time.Second
	maxPollInterval = 10 * time.Second
	pollGrowth      = 1.5
	// The last look begins at the deadline and may take so long.
	lastLook = time.Second
	// So often a stream may end without having told anything new before polling takes over.
	fruitlessStreams = 3
)

// watch is one wait for one task: by events, else by long-poll, else by polling.
type watch struct {
	*connection
	parent  context.Context // the caller's
	ctx     context.Context // ends with the wait
	cancel  context.CancelFunc
	taskID  string
	begun   time.Time
	end     time.Time
	look    request
	events  request
	options options
	show    func(*VideoTaskResponse) bool // false: the caller wants no more

	parser        eventParser
	last          *VideoTaskResponse
	shown         glance
	fault         error
	eventsMissing bool
}

// glance is what a caller wants to hear changes of.
type glance struct {
	status   string
	progress float64
	position int
	known    [2]bool
}

// step is how a part of the wait ended.
type step int

const (
	goOn step = iota
	finished
)

func (v Videos) newWatch(ctx context.Context, taskID string, opts []Option) (*watch, error) {
	c, err := v.connection.ready()
	if err != nil {
		return nil, err
	}
	read, err := readOptions(opts, waitCall)
	if err != nil {
		return nil, err
	}
	path, err := generationPath(taskID, "")
	if err != nil {
		return nil, err
	}
	now := c.clock.now()
	end, err := endOf(ctx, read, now)
	if err != nil {
		return nil, err
	}
	w := &watch{connection: c, parent: ctx, taskID: taskID, begun: now, end: end, options: read}
	w.look = c.request(http.MethodGet, path, nil, read)
	w.look.taskID = taskID
	w.events = c.request(http.MethodGet, path+"/events", nil, read)
	w.events.taskID = taskID
	w.ctx, w.cancel = context.WithDeadline(ctx, end.Add(lastLook))
	return w, nil
}

// run shows the task at every change until it has ended, the caller wants no more, or the wait is over.
func (w *watch) run() error {
	if !w.service.lacksEvents.Load() {
		if done, err := w.byEvents(); done == finished || err != nil {
			return err
		}
	}
	return w.byPolling()
}

func (w *watch) byEvents() (step, error) {
	for fruitless := 0; fruitless < fruitlessStreams && w.remaining() > lastStretch; {
		before := w.shown
		done, met, err := w.oneStream()
		if done == finished || err != nil || w.service.lacksEvents.Load() || w.eventsMissing || w.remaining() <= lastStretch {
			return done, err
		}
		fruitless++
		if w.shown != before {
			fruitless = 0
		}
		if err := w.pause(w.streamPause(fruitless, met)); err != nil {
			return goOn, err
		}
	}
	return goOn, nil
}

// oneStream follows one stream to its end. The outcome is that of opening it.
func (w *watch) oneStream() (step, outcome, error) {
	ctx, cancel := context.WithDeadline(w.ctx, w.end.Add(-lastStretch))
	defer cancel()
	opened, met := w.open(ctx, w.eventRequest(), w.silence)
	switch {
	case opened != nil && isEventStream(met.answer):
		defer opened.close()
		done, err := w.readEvents(opened, met.answer.requestID())
		return done, met, err
	case opened != nil:
		opened.close()
		w.service.lacksEvents.Store(true)
		return goOn, met, nil
	case met.isTransient() || met.failure != nil:
		return goOn, met, w.missed(met, w.events)
	}
	return goOn, met, w.refused(met)
}

// eventRequest resumes where the last stream ended.
func (w *watch) eventRequest() request {
	resumed := w.events
	resumed.header = w.events.header.Clone()
	if resumed.header == nil {
		resumed.header = http.Header{}
	}
	resumed.header.Set("Accept", "text/event-stream")
	if w.parser.lastEventID != "" {
		resumed.header.Set("Last-Event-ID", w.parser.lastEventID)
	}
	w.parser = eventParser{lastEventID: w.parser.lastEventID}
	return resumed
}

func (w *watch) readEvents(opened *stream, requestID string) (step, error) {
	heard := false
	buffer := make([]byte, 4096)
	for {
		length, err := opened.read(buffer)
		if length > 0 {
			heard = true
			for _, event := range w.parser.feed(buffer[:length]) {
				if event.name == "task" && w.told(event.data, requestID) == finished {
					return finished, nil
				}
			}
			if w.remaining() <= lastStretch {
				return goOn, nil
			}
		}
		if err == nil && len(w.parser.rest) > maxBody {
			err = errors.New("an event of the stream does not end")
		}
		if err != nil {
			broken := opened.failed(err)
			// It stood, but nothing came through: something between client and server holds it back.
			if !heard && broken.kind == timedOut {
				w.service.lacksEvents.Store(true)
			}
			return goOn, w.missed(outcome{failure: broken}, w.events)
		}
	}
}

func isEventStream(met *answer) bool {
	return strings.HasPrefix(strings.ToLower(met.header.Get("Content-Type")), "text/event-stream")
}

// refused remembers that the server has no stream for this task, or returns what it definitely says.
func (w *watch) refused(met outcome) error {
	switch status := met.answer.status; {
	case status == http.StatusNotFound:
		w.eventsMissing = true // or the task is: the poll that follows finds out
	case slices.Contains([]int{http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusGone,
		http.StatusNotImplemented}, status):
		w.service.lacksEvents.Store(true)
	default:
		return met.final(w.events, w.clock.now(), false)
	}
	return nil
}

func (w *watch) byPolling() error {
	interval := defaultPollInterval
	if w.options.pollInterval != nil {
		interval = *w.options.pollInterval
	}
	least := interval
	for {
		held := w.holdTime()
		started := w.clock.now()
		met := w.send(w.ctx, w.lookFor(held))
		seen, err := w.seen(met)
		if err != nil {
			return err
		}
		if seen != nil {
			if w.eventsMissing {
				w.service.lacksEvents.Store(true)
			}
			if w.deliver(seen) == finished {
				return nil
			}
			if held > 0 {
				w.service.lacksLongPoll.Store(w.clock.now().Sub(started) < held/2)
			}
		}
		if w.remaining() <= 0 {
			return w.over()
		}
		if seen == nil || held == 0 || w.service.lacksLongPoll.Load() {
			wait := max(interval, met.wish(w.clock.now())) + time.Duration(jitter*float64(interval)*w.clock.random())
			if err := w.pause(min(wait, w.remaining())); err != nil {
				return err
			}
			interval = max(least, min(time.Duration(pollGrowth*float64(interval)), maxPollInterval))
		}
	}
}

// holdTime is how long the server is asked to hold its answer: whole seconds, 0 where it cannot.
func (w *watch) holdTime() time.Duration {
	if w.service.lacksLongPoll.Load() {
		return 0
	}
	return max(min(longPoll, w.remaining()).Truncate(time.Second), 0)
}

func (w *watch) lookFor(held time.Duration) request {
	wanted := w.look
	if held > 0 {
		wanted.url = addQuery(wanted.url, query{}.with("wait", strconv.Itoa(int(held.Seconds()))))
	}
	if wanted.timeout > 0 {
		wanted.timeout += held
	}
	return wanted
}

// seen is the task, nil for a missed look; the error is a definite refusal, or the end of the wait.
func (w *watch) seen(met outcome) (*VideoTaskResponse, error) {
	if !met.isSuccess() {
		if met.failure == nil && !met.isTransient() {
			return nil, met.final(w.look, w.clock.now(), false)
		}
		return nil, w.missed(met, w.look)
	}
	task, err := readTask(met.answer)
	if err != nil {
		w.fault = err
		return nil, nil
	}
	return task, nil
}

// missed remembers why a look was missed. The error is the end of the wait, if that is why.
func (w *watch) missed(met outcome, wanted request) error {
	if w.ctx.Err() != nil {
		return w.over()
	}
	if met.failure == nil || met.failure.kind != wasInterrupted {
		w.fault = met.final(wanted, w.clock.now(), false)
	}
	return nil
}

func (w *watch) told(data, requestID string) step {
	task := &VideoTaskResponse{}
	if err := task.UnmarshalJSON([]byte(data)); err != nil {
		w.fault = err
		return goOn
	}
	task.RequestID = firstOf(task.RequestID, requestID)
	return w.deliver(task)
}

// deliver shows the task if it has changed.
func (w *watch) deliver(task *VideoTaskResponse) step {
	now := glanceAt(task)
	changed := w.last == nil || now != w.shown
	w.shown, w.last = now, task
	if changed && !w.show(task) || task.IsTerminal() {
		return finished
	}
	return goOn
}

func glanceAt(task *VideoTaskResponse) glance {
	seen := glance{status: task.Status}
	if task.Progress != nil {
		seen.progress, seen.known[0] = *task.Progress, true
	}
	if task.QueuePosition != nil {
		seen.position, seen.known[1] = *task.QueuePosition, true
	}
	return seen
}

// streamPause is the wait before the next stream: the retry policy's, never less than the server's wish.
func (w *watch) streamPause(fruitless int, met outcome) time.Duration {
	wish := met.wish(w.clock.now())
	if w.parser.retry != nil {
		wish = max(wish, *w.parser.retry)
	}
	return min(w.retry.wait(max(0, fruitless-1), wish, w.clock.random()), max(w.remaining()-lastStretch, 0))
}

func (w *watch) pause(wait time.Duration) error {
	if w.clock.sleep(w.ctx, wait) != nil {
		return w.over()
	}
	return nil
}

// over is the error of a wait whose context has ended.
func (w *watch) over() error {
	if err := w.parent.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		ended := interrupted("the wait for task "+w.taskID, err)
		ended.TaskID = w.taskID
		return ended
	}
	return &WaitTimeoutError{TaskID: w.taskID, Task: w.last, Waited: max(w.end.Sub(w.begun), 0), fault: w.fault}
}

func (w *watch) remaining() time.Duration { return w.end.Sub(w.clock.now()) }
