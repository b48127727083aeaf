package meshapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	contentRange = regexp.MustCompile(`^bytes (\d+)-(\d+)/(\d+|\*)$`)
	digestSHA256 = regexp.MustCompile(`(?i)(?:^|[,\s])sha-256=:([A-Za-z0-9+/=]+):`)

	noSuchEndpoint = []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}
	linkRefused    = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone}
)

const unknownSize = int64(-1)

// transfer fetches one result, going on where it broke off: from the server's own /content where it has that (it tells
// the checksum), else from the task's link. A broken transfer is resumed with Range and If-Range (RFC 9110 sections 13
// and 14); the whole is checked against Repr-Digest (RFC 9530) where the server sends one.
type transfer struct {
	*connection
	videos  Videos
	taskID  string
	variant string
	options []Option
	content request
	to      *sink

	source         request
	atLink         bool
	contentMissing bool // the server said 404: there is no such endpoint, or no such task
	refreshed      bool
	received       int64
	total          int64
	hash           hash.Hash
	etag           string
	digest         []byte
	resumed        int64 // of received, what an earlier download had left
	damaged        bool  // the whole came and has another checksum
	requestID      string
	note           func(begun) error // hears what the bytes to come can be recognised by
}

func (v Videos) newTransfer(taskID string, to *sink, opts []Option) (*transfer, error) {
	c, err := v.connection.ready()
	if err != nil {
		return nil, err
	}
	read, err := readOptions(opts, downloadCall)
	if err != nil {
		return nil, err
	}
	path, err := generationPath(taskID, "content")
	if err != nil {
		return nil, err
	}
	var pairs query
	if read.variant != "" {
		pairs = pairs.with("variant", read.variant)
	}
	t := &transfer{
		connection: c, videos: Videos{c}, taskID: taskID, variant: read.variant, options: without(opts, downloadCall),
		content: c.request(http.MethodGet, path, pairs, read), to: to,
		total: unknownSize, hash: sha256.New(), note: func(begun) error { return nil },
	}
	t.content.taskID = taskID
	t.source = t.content
	return t, nil
}

// goOnWith downloads into a part, behind what is in it already.
func (t *transfer) goOnWith(p *part) {
	t.to, t.note = &sink{Writer: p, file: p}, p.note
	if p.kept == nil {
		return
	}
	t.received, t.resumed, t.hash = p.kept.received, p.kept.received, p.kept.hash
	t.etag, t.digest, t.total = p.kept.etag, p.kept.digest, p.kept.size
}

// run fetches until the whole is there or there is no hope.
func (t *transfer) run(ctx context.Context) (*DownloadResult, error) {
	if t.received > 0 && t.hasChecksum() {
		return t.finished(), nil // an earlier download has left the whole
	}
	fruitless, furthest := 0, t.received
	linkNeeded := t.service.lacksContent.Load()
	for {
		if linkNeeded {
			if err := t.takeLink(ctx); err != nil {
				return nil, err
			}
			linkNeeded = false
		}
		met, err := t.attempt(ctx)
		if err != nil {
			return nil, err
		}
		if met.isSuccess() {
			if len(t.digest) == 0 || t.hasChecksum() {
				return t.finished(), nil
			}
			if err := t.damage(); err != nil {
				return nil, err
			}
			continue
		}
		if linkNeeded = t.leadsElsewhere(met); linkNeeded {
			continue
		}
		fruitless++
		if t.received > furthest {
			fruitless, furthest = 0, t.received
		}
		if fruitless > t.content.retries || !mayPass(met) {
			return nil, t.lost(met)
		}
		wait := t.retry.wait(max(0, fruitless-1), met.wish(t.clock.now()), t.clock.random())
		if err := t.clock.sleep(ctx, wait); err != nil {
			return nil, t.lost(outcome{failure: &failure{wasInterrupted, true, err}})
		}
	}
}

// attempt asks for what is missing and writes it. The outcome is a success if all is there. An error ends the download:
// the writer does not take the bytes.
func (t *transfer) attempt(ctx context.Context) (outcome, error) {
	opened, met := t.open(ctx, t.resuming(), t.content.timeout)
	if opened == nil {
		if met.failure == nil && met.answer.status == http.StatusRequestedRangeNotSatisfiable {
			return met, t.restart()
		}
		return met, nil
	}
	defer opened.close()
	switch {
	case met.answer.status == http.StatusOK:
		if err := t.restart(); err != nil {
			return met, err
		}
		if err := t.begin(met.answer.header); err != nil {
			return met, err
		}
	case !t.continues(met.answer):
		met.answer.status = http.StatusRequestedRangeNotSatisfiable // an answer, but not to the question
		return met, t.restart()
	}
	t.refreshed = false
	t.requestID = met.answer.requestID()
	broken, err := t.copy(opened)
	if broken != nil {
		return outcome{failure: broken}, err
	}
	return met, err
}

// copy writes what comes. broken says how the stream ended too early.
func (t *transfer) copy(opened *stream) (broken *failure, err error) {
	buffer := make([]byte, 64<<10)
	for {
		length, reading := opened.read(buffer)
		t.hash.Write(buffer[:length])
		if _, err := t.to.Write(buffer[:length]); err != nil {
			return nil, notDownloaded(t.taskID, err, "the result cannot be written: %v", err)
		}
		t.received += int64(length)
		switch {
		case reading == nil:
			continue
		case reading != io.EOF:
			return opened.failed(reading), nil
		case t.total != unknownSize && t.received < t.total:
			return &failure{brokeOff, true, fmt.Errorf("%d of %d bytes came", t.received, t.total)}, nil
		}
		return nil, nil
	}
}

// takeLink asks for the task, whose links are signed anew each time.
func (t *transfer) takeLink(ctx context.Context) error {
	task, err := t.videos.Retrieve(ctx, t.taskID, t.options...)
	if err != nil {
		return err
	}
	url := task.Content.VideoURL()
	if t.variant != "" {
		url = task.Content.LastFrameURL()
	}
	if url == "" {
		return t.noResult(task)
	}
	if t.contentMissing {
		t.service.lacksContent.Store(true)
	}
	t.source = t.content
	// The link may lead elsewhere: what the caller wants to tell the server is not for others.
	t.source.url, t.source.header, t.source.foreign, t.atLink = url, nil, true, true
	return nil
}

func (t *transfer) noResult(task *VideoTaskResponse) error {
	switch {
	case !task.IsTerminal():
		return notDownloaded(t.taskID, nil, "task %s is still %s; wait for it first", t.taskID, firstOf(task.Status, "unknown"))
	case task.Status != StatusSucceeded:
		return &TaskFailedError{Task: task}
	case t.variant != "":
		return notDownloaded(t.taskID, nil,
			"task %s has no last frame; ask for ReturnLastFrame when you create it", t.taskID)
	}
	return notDownloaded(t.taskID, nil, "task %s has succeeded, but the server names no video", t.taskID)
}

func (t *transfer) resuming() request {
	wanted := t.source
	wanted.header = t.source.header.Clone()
	if wanted.header == nil {
		wanted.header = http.Header{}
	}
	wanted.header.Set("Accept", "*/*")
	// A transfer coding would make byte positions meaningless.
	wanted.header.Set("Accept-Encoding", "identity")
	if t.received > 0 {
		wanted.header.Set("Range", fmt.Sprintf("bytes=%d-", t.received))
		if t.etag != "" {
			wanted.header.Set("If-Range", t.etag)
		}
	}
	return wanted
}

// leadsElsewhere tells whether to ask for the task's link: there is no /content, or the link has run out (once).
func (t *transfer) leadsElsewhere(met outcome) bool {
	if met.answer == nil {
		return false
	}
	status := met.answer.status
	if !t.atLink {
		t.contentMissing = status == http.StatusNotFound
		if status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented {
			t.service.lacksContent.Store(true)
		}
		return slices.Contains(noSuchEndpoint, status)
	}
	if t.refreshed || !slices.Contains(linkRefused, status) {
		return false
	}
	t.refreshed = true
	return true
}

// continues tells whether a 206 is the rest of what was received.
func (t *transfer) continues(met *answer) bool {
	match := contentRange.FindStringSubmatch(strings.TrimSpace(met.header.Get("Content-Range")))
	if met.status != http.StatusPartialContent || match == nil || match[1] != strconv.FormatInt(t.received, 10) {
		return false
	}
	etag := strongETag(met.header)
	sameSize := match[3] == "*" || t.total == unknownSize || match[3] == strconv.FormatInt(t.total, 10)
	return sameSize && (etag == "" || t.etag == "" || etag == t.etag)
}

func (t *transfer) begin(header http.Header) error {
	t.etag = strongETag(header)
	if match := digestSHA256.FindStringSubmatch(header.Get("Repr-Digest")); match != nil {
		t.digest, _ = base64.StdEncoding.DecodeString(match[1])
	}
	if length, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); err == nil && length >= 0 {
		t.total = length
	}
	if err := t.note(begun{t.etag, t.digest, t.total}); err != nil {
		return notDownloaded(t.taskID, err, "nothing can be written down beside the result: %v", err)
	}
	return nil
}

// restart takes back what was received.
func (t *transfer) restart() error {
	if t.received > 0 {
		if err := t.to.rewind(); err != nil {
			return notDownloaded(t.taskID, err, "the download of task %s cannot begin anew: %v", t.taskID, err)
		}
	}
	t.received, t.resumed, t.total, t.etag, t.digest = 0, 0, unknownSize, "", nil
	t.hash.Reset()
	return nil
}

func (t *transfer) hasChecksum() bool {
	return len(t.digest) > 0 && bytes.Equal(t.digest, t.hash.Sum(nil))
}

func (t *transfer) finished() *DownloadResult {
	return &DownloadResult{
		Size: t.received, SHA256: hex.EncodeToString(t.hash.Sum(nil)), Verified: len(t.digest) > 0,
		Resumed: t.resumed, RequestID: t.requestID,
	}
}

// damage is the error of a whole with another checksum; nil if what an earlier download has left may be to blame, which is
// then taken back.
func (t *transfer) damage() error {
	if t.resumed > 0 {
		return t.restart()
	}
	t.damaged = true
	told := notDownloaded(t.taskID, nil, "the result of task %s arrived damaged: its SHA-256 is %x, the server says %x",
		t.taskID, t.hash.Sum(nil), t.digest)
	told.RequestID = t.requestID
	return told
}

// lost is the error of a download that cannot go on.
func (t *transfer) lost(met outcome) error {
	last := met.final(t.source, t.clock.now(), false)
	last.RequestID = firstOf(last.RequestID, t.requestID)
	switch {
	case met.answer == nil && met.failure.kind == wasInterrupted:
		return last
	case met.answer == nil:
		told := notDownloaded(t.taskID, last, "the download of task %s broke off: %s", t.taskID, last.Message)
		told.RequestID = last.RequestID
		return told
	case met.answer.status == http.StatusRequestedRangeNotSatisfiable:
		told := notDownloaded(t.taskID, last, "the server cannot resume the result of task %s", t.taskID)
		told.RequestID = last.RequestID
		return told
	}
	return last
}

func mayPass(met outcome) bool {
	return met.isTransient() || (met.answer != nil && met.answer.status == http.StatusRequestedRangeNotSatisfiable)
}

func strongETag(header http.Header) string {
	if etag := header.Get("ETag"); !strings.HasPrefix(etag, "W/") {
		return etag
	}
	return ""
}
