package meshapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// DownloadResult is a download that arrived whole.
type DownloadResult struct {
	// Size is bytes.
	Size int64
	// SHA256 is that of the bytes, in hexadecimal.
	SHA256 string
	// Verified tells that the server named a SHA-256 (Repr-Digest, RFC 9530) and the bytes had it.
	Verified bool
}

// Download writes the video of a task, or with WithLastFrame its last frame, to a writer. Nothing is held in memory.
//
// A transfer that breaks off goes on where it stopped. If the file at the server has changed meanwhile, the download
// begins anew, which needs a writer that can seek and truncate, such as an *os.File; else it fails. On an error the
// writer may hold a part of the file (DownloadFile leaves none).
func (v Videos) Download(ctx context.Context, taskID string, to io.Writer, opts ...Option) (*DownloadResult, error) {
	t, err := v.newTransfer(taskID, newSink(to), opts)
	if err != nil {
		return nil, err
	}
	return t.run(ctx)
}

// DownloadFile is Download to a file, which appears whole or not at all.
func (v Videos) DownloadFile(ctx context.Context, taskID, path string, opts ...Option) (*DownloadResult, error) {
	part, err := createPart(path)
	if err != nil {
		return nil, notDownloaded(taskID, err, "no file can be made beside %q: %v", path, err)
	}
	defer func() { _ = os.Remove(part.Name()) }() // after the renaming there is none
	result, err := v.Download(ctx, taskID, part, opts...)
	closing := part.Close()
	if err != nil {
		return nil, err
	}
	if closing == nil {
		closing = os.Rename(part.Name(), path)
	}
	if closing != nil {
		return nil, notDownloaded(taskID, closing, "%q cannot be written: %v", path, closing)
	}
	return result, nil
}

// createPart makes a file beside path, with the mode an ordinary new file has.
func createPart(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, errors.New("it is a directory; name a file in it")
	}
	name := fmt.Sprintf(".%s.%08x.part", filepath.Base(path), rand.Uint32())
	return os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
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
