package meshapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// DownloadResult is a download that arrived whole.
type DownloadResult struct {
	// Size is bytes.
	Size int64
	// SHA256 is that of the bytes, in hexadecimal.
	SHA256 string
	// Verified tells that the server named a SHA-256 (Repr-Digest, RFC 9530) and the bytes had it.
	Verified bool
	// Resumed is how many of the bytes an earlier download had left.
	Resumed int64
	// RequestID names the request that brought the (last) bytes.
	RequestID string
}

// Download writes the video of a task, or with WithLastFrame its last frame, to a writer. Nothing is held in memory.
//
// A transfer that breaks off goes on where it stopped. If the file at the server has changed meanwhile, the download
// begins anew, which needs a writer that can seek and truncate, such as an *os.File; else it fails. On an error the
// writer may hold a part of the file.
func (v Videos) Download(ctx context.Context, taskID string, to io.Writer, opts ...Option) (*DownloadResult, error) {
	t, err := v.newTransfer(taskID, newSink(to), opts)
	if err != nil {
		return nil, err
	}
	return t.run(ctx)
}

// DownloadFile is Download to a file, which appears whole or not at all. A download that breaks off leaves what is needed
// to go on (".NAME.part" and ".NAME.part.json" beside the file): the next DownloadFile of the same result to the same path
// goes on there, in another process, too. That is so on Unix; elsewhere it leaves nothing.
func (v Videos) DownloadFile(ctx context.Context, taskID, path string, opts ...Option) (*DownloadResult, error) {
	t, err := v.newTransfer(taskID, nil, opts)
	if err != nil {
		return nil, err
	}
	part, err := openPart(path, origin{t.root, taskID, firstOf(t.variant, "video")})
	if err != nil {
		return nil, notDownloaded(taskID, err, "no file can be made beside %q: %v", path, err)
	}
	t.goOnWith(part)
	result, err := t.run(ctx)
	if err != nil {
		return nil, withKept(err, part.leave(!t.damaged && !isGone(err)))
	}
	if err := part.finish(); err != nil {
		return nil, notDownloaded(taskID, err, "%q cannot be written: %v", path, err)
	}
	return result, nil
}

// isGone tells of an error after which another download of the same result could not go on, either.
func isGone(err error) bool {
	var told *MeshAPIError
	var failed *TaskFailedError
	return errors.Is(err, ErrNotFound) || errors.As(err, &failed) ||
		(errors.As(err, &told) && told.Status == http.StatusGone)
}

// withKept adds to an error how many bytes are kept.
func withKept(err error, size int64) error {
	var told *MeshAPIError
	if size > 0 && errors.As(err, &told) {
		told.Message += fmt.Sprintf("; its first %d bytes are kept, and downloading it again goes on from there", size)
	}
	return err
}

// sink is where the bytes go. It begins anew where the writer can.
type sink struct {
	io.Writer
	start int64
	file  interface {
		io.Seeker
		Truncate(size int64) error
	}
}

func newSink(to io.Writer) *sink {
	s := &sink{Writer: to}
	if file, ok := to.(interface {
		io.Seeker
		Truncate(size int64) error
	}); ok {
		if start, err := file.Seek(0, io.SeekCurrent); err == nil { // a pipe cannot
			s.file, s.start = file, start
		}
	}
	return s
}

func (s *sink) rewind() error {
	if s.file == nil {
		return errors.New("the file changed while it was downloaded, and what was written cannot be taken back")
	}
	if _, err := s.file.Seek(s.start, io.SeekStart); err != nil {
		return err
	}
	return s.file.Truncate(s.start)
}

func notDownloaded(taskID string, cause error, format string, arguments ...any) *MeshAPIError {
	return &MeshAPIError{
		Code: codeDownload, Message: fmt.Sprintf(format, arguments...), TaskID: taskID, cause: cause, kind: ErrDownload,
	}
}
