package meshapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fileServer is a real server of one task's video, which it gives in pieces.
type fileServer struct {
	*httptest.Server
	mutex    sync.Mutex
	file     []byte
	etag     string
	digest   string           // of Repr-Digest; "" for none
	cuts     []int            // the connection breaks after so many bytes of the answer, once each
	noRanges bool             // every answer is the whole
	limit    int              // the most bytes of a 206, 0 for no limit
	sending  func()           // called before each answer with bytes
	statuses map[string][]int // answers by path, once each, before the file; 0 is the file
	lacks    bool             // there is no /content
	links    int              // how often the task was asked for
	seen     []http.Header
	paths    []string
}

func newFileServer(t *testing.T) *fileServer {
	t.Helper()
	file := bytes.Repeat([]byte("0123456789abcdef"), 16<<10)
	sum := sha256.Sum256(file)
	s := &fileServer{
		file: file, etag: `"v1"`, digest: "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":",
		statuses: map[string][]int{},
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *fileServer) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.seen = append(s.seen, request.Header)
	s.paths = append(s.paths, request.RequestURI)
	path := request.URL.Path
	if left := s.statuses[path]; len(left) > 0 {
		s.statuses[path] = left[1:]
		if left[0] != 0 {
			w.WriteHeader(left[0])
			return
		}
	}
	switch {
	case strings.HasSuffix(path, "/content") && s.lacks:
		http.NotFound(w, request)
	case strings.HasSuffix(path, "/content"), strings.HasPrefix(path, "/files/"):
		s.send(w, request)
	default:
		s.links++
		fmt.Fprintf(w, `{"id":"t","status":"succeeded","content":{"video_url":"%s/files/v?signature=%d","last_frame_url":"%s/files/f"}}`,
			s.URL, s.links, s.URL)
	}
}

func (s *fileServer) send(w http.ResponseWriter, request *http.Request) {
	if s.sending != nil {
		s.sending()
	}
	from, end, status := 0, len(s.file), http.StatusOK
	first, _ := strings.CutPrefix(request.Header.Get("Range"), "bytes=")
	if start, err := strconv.Atoi(strings.TrimSuffix(first, "-")); err == nil && !s.noRanges && request.Header.Get("If-Range") == s.etag {
		from, status = start, http.StatusPartialContent
		if s.limit > 0 {
			end = min(end, from+s.limit)
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, end-1, len(s.file)))
	}
	w.Header().Set("ETag", s.etag)
	if s.digest != "" {
		w.Header().Set("Repr-Digest", s.digest)
	}
	w.Header().Set("Content-Length", strconv.Itoa(end-from))
	w.WriteHeader(status)
	part := s.file[from:end]
	if len(s.cuts) > 0 {
		part, s.cuts = part[:s.cuts[0]], s.cuts[1:]
	}
	_, _ = w.Write(part) // a short answer makes the server break the connection
}

func (s *fileServer) client(t *testing.T) *Client {
	t.Helper()
	return newClient(t, Config{BaseURL: s.URL, Token: "rsk_test", Retry: RetryPolicy{Initial: time.Millisecond, Max: time.Millisecond}})
}

// bare is a writer that can do nothing but write.
type bare struct{ io.Writer }

func TestADownloadIsWholeAndChecked(t *testing.T) {
	server := newFileServer(t)
	var to bytes.Buffer
	result, err := server.client(t).Videos.Download(testContext(t), "t", bare{&to})
	sum := sha256.Sum256(server.file)
	if err != nil || !bytes.Equal(to.Bytes(), server.file) || !result.Verified ||
		result.Size != int64(len(server.file)) || result.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("got %+v, %v, %d bytes", result, err, to.Len())
	}
	if server.seen[0].Get("Accept-Encoding") != "identity" || server.paths[0] != "/v1/video/generations/t/content" {
		t.Errorf("asked for %s with %v", server.paths[0], server.seen[0])
	}
}

func TestABrokenDownloadGoesOnWhereItStopped(t *testing.T) {
	server := newFileServer(t)
	server.cuts = []int{1000, 0, 0, 70000} // bytes that come forgive the attempts that bring none
	var to bytes.Buffer
	result, err := server.client(t).Videos.Download(testContext(t), "t", bare{&to})
	if err != nil || !bytes.Equal(to.Bytes(), server.file) || !result.Verified {
		t.Fatalf("got %+v, %v, %d bytes", result, err, to.Len())
	}
	var ranges []string
	for _, header := range server.seen {
		ranges = append(ranges, header.Get("Range")+" "+header.Get("If-Range"))
	}
	want := []string{" ", `bytes=1000- "v1"`, `bytes=1000- "v1"`, `bytes=1000- "v1"`, `bytes=71000- "v1"`}
	if !slices.Equal(ranges, want) {
		t.Errorf("asked for %q, want %q", ranges, want)
	}
}

func TestADownloadThatBringsNothingIsGivenUp(t *testing.T) {
	server := newFileServer(t)
	server.cuts = []int{10, 0, 0, 0, 0}
	_, err := server.client(t).Videos.Download(testContext(t), "t", io.Discard)
	var told *MeshAPIError
	if !errors.Is(err, ErrDownload) || !errors.Is(err, ErrConnection) || !errors.As(err, &told) || told.TaskID != "t" {
		t.Errorf("got %v", err)
	}
	if len(server.seen) != 1+1+2 { // what came, one attempt and two repetitions
		t.Errorf("%d requests", len(server.seen))
	}
}

// changed makes the first answer break off and the server ignore the Range of the next, as it does when the file that
// If-Range names is gone.
func changed(server *fileServer) {
	server.cuts = []int{1000}
	server.noRanges = true
}

func TestADownloadOfAFileThatChangedBeginsAnewWhereItCan(t *testing.T) {
	server := newFileServer(t)
	changed(server)
	path := filepath.Join(t.TempDir(), "old")
	if err := os.WriteFile(path, []byte("head"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := server.client(t).Videos.Download(testContext(t), "t", file); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, append([]byte("head"), server.file...)) {
		t.Errorf("the file has %d bytes", len(got))
	}
	changed(server)
	if _, err := server.client(t).Videos.Download(testContext(t), "t", bare{io.Discard}); !errors.Is(err, ErrDownload) {
		t.Errorf("got %v for a writer that cannot begin anew", err)
	}
	changed(server)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	if _, err := server.client(t).Videos.Download(testContext(t), "t", writer); !errors.Is(err, ErrDownload) {
		t.Errorf("got %v for a pipe", err)
	}
	_ = writer.Close()
}

func TestARangeOfAnotherFileIsNotTaken(t *testing.T) {
	for name, header := range map[string]map[string]string{
		"another size":  {"Content-Range": "bytes 1000-1003/99", "ETag": `"v1"`},
		"another place": {"Content-Range": "bytes 5-8/262144", "ETag": `"v1"`},
		"another file":  {"Content-Range": "bytes 1000-1003/262144", "ETag": `"v2"`},
		"no place":      {},
	} {
		file := newFileServer(t)
		file.cuts = []int{1000}
		odd := false
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			if request.Header.Get("Range") != "" && !odd {
				odd = true
				for key, value := range header {
					w.Header().Set(key, value)
				}
				w.WriteHeader(http.StatusPartialContent)
				_, _ = io.WriteString(w, "else")
				return
			}
			file.ServeHTTP(w, request)
		}))
		defer front.Close()
		path := filepath.Join(t.TempDir(), "v.mp4")
		client := newClient(t, Config{BaseURL: front.URL, Token: "rsk_test", Retry: RetryPolicy{Initial: time.Millisecond}})
		result, err := client.Videos.DownloadFile(testContext(t), "t", path)
		if got, _ := os.ReadFile(path); err != nil || !result.Verified || !bytes.Equal(got, file.file) || !odd {
			t.Errorf("%s: got %+v, %v, %d bytes", name, result, err, len(got))
		}
	}
}

func TestADamagedDownloadLeavesNoFile(t *testing.T) {
	server := newFileServer(t)
	server.file = append([]byte("X"), server.file[1:]...)
	folder := t.TempDir()
	_, err := server.client(t).Videos.DownloadFile(testContext(t), "t", filepath.Join(folder, "v.mp4"))
	if !errors.Is(err, ErrDownload) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(folder); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestAFileAppearsWhole(t *testing.T) {
	server := newFileServer(t)
	server.cuts = []int{77}
	server.digest = ""
	path := filepath.Join(t.TempDir(), "v.mp4")
	result, err := server.client(t).Videos.DownloadFile(testContext(t), "t", path)
	if err != nil || result.Verified {
		t.Fatalf("got %+v, %v", result, err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, server.file) {
		t.Errorf("the file has %d bytes", len(got))
	}
	for _, wrong := range []string{filepath.Dir(path), filepath.Join(path, "v.mp4")} {
		if _, err := server.client(t).Videos.DownloadFile(testContext(t), "t", wrong); !errors.Is(err, ErrDownload) {
			t.Errorf("%s: got %v", wrong, err)
		}
	}
}

func TestWithoutContentTheLinkOfTheTaskIsUsedAndTheKeyKeptBack(t *testing.T) {
	server := newFileServer(t)
	server.lacks = true
	server.statuses["/files/v"] = []int{http.StatusForbidden} // the first link has run out
	client := server.client(t)
	for range 2 {
		var to bytes.Buffer
		_, err := client.Videos.Download(testContext(t), "t", &to, WithHeader("X-Private", "p"))
		if err != nil || !bytes.Equal(to.Bytes(), server.file) {
			t.Fatalf("got %v, %d bytes", err, to.Len())
		}
	}
	want := []string{
		"/v1/video/generations/t/content", "/v1/video/generations/t", "/files/v?signature=1",
		"/v1/video/generations/t", "/files/v?signature=2", "/v1/video/generations/t", "/files/v?signature=3",
	}
	if !slices.Equal(server.paths, want) {
		t.Errorf("asked for %q\nwant %q", server.paths, want)
	}
	for index, path := range server.paths {
		told := server.seen[index].Get("Authorization") + server.seen[index].Get("X-Private")
		if strings.HasPrefix(path, "/files/") != (told == "") {
			t.Errorf("%s was told %q", path, told)
		}
	}
}

func TestALinkThatIsRefusedTwiceEndsADownload(t *testing.T) {
	server := newFileServer(t)
	server.statuses["/v1/video/generations/t/content"] = []int{http.StatusNotImplemented}
	server.statuses["/files/f"] = []int{http.StatusGone, http.StatusForbidden}
	_, err := server.client(t).Videos.Download(testContext(t), "t", io.Discard, WithLastFrame())
	if !errors.Is(err, ErrForbidden) || strings.Contains(err.Error(), "signature") {
		t.Errorf("got %v", err)
	}
	if server.paths[0] != "/v1/video/generations/t/content?variant=last_frame" {
		t.Errorf("asked for %s", server.paths[0])
	}
}

func TestWhatCannotBeDownloadedIsSaid(t *testing.T) {
	for body, want := range map[string]error{
		`{"id":"t","status":"running"}`:   ErrDownload,
		`{"id":"t","status":"succeeded"}`: ErrDownload,
		`{"id":"t","status":"failed"}`:    nil,
	} {
		server := newTaskServer(t)
		server.looks = []http.HandlerFunc{says(http.StatusNotFound, ""), says(http.StatusOK, body)}
		_, err := server.client(t).Videos.Download(testContext(t), "t", io.Discard, WithLastFrame())
		var failed *TaskFailedError
		if (want != nil && !errors.Is(err, want)) || (want == nil && !errors.As(err, &failed)) {
			t.Errorf("%s: got %v", body, err)
		}
	}
	for status, want := range map[int]error{http.StatusConflict: ErrConflict, http.StatusUnauthorized: ErrUnauthorized} {
		server := newRecorder(t, prepared{status: status})
		if _, err := server.client(t).Videos.Download(testContext(t), "t", io.Discard); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	unknown := newRecorder(t, prepared{status: http.StatusNotFound})
	if _, err := unknown.client(t).Videos.Download(testContext(t), "t", io.Discard); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if _, err := unknown.client(t).Videos.Download(testContext(t), "..", io.Discard); !errors.Is(err, ErrInvalidID) {
		t.Errorf("got %v, want ErrInvalidID", err)
	}
}

func TestAWriterThatFailsEndsADownloadAtOnce(t *testing.T) {
	server := newFileServer(t)
	full := errors.New("the disk is full")
	_, err := server.client(t).Videos.Download(testContext(t), "t", writerFunc(func([]byte) (int, error) { return 0, full }))
	if !errors.Is(err, full) || !errors.Is(err, ErrDownload) || len(server.seen) != 1 {
		t.Errorf("got %v after %d requests", err, len(server.seen))
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(part []byte) (int, error) { return f(part) }

func TestASlowWriterIsNotTakenForASilentServer(t *testing.T) {
	server := newFileServer(t)
	var once sync.Once
	slow := writerFunc(func(part []byte) (int, error) {
		once.Do(func() { time.Sleep(500 * time.Millisecond) })
		return len(part), nil
	})
	if _, err := server.client(t).Videos.Download(testContext(t), "t", slow, WithTimeout(300*time.Millisecond)); err != nil || len(server.seen) != 1 {
		t.Errorf("got %v after %d requests", err, len(server.seen))
	}
}

func TestAServerThatFallsSilentIsAskedAgain(t *testing.T) {
	file := newFileServer(t)
	silent := true
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if silent {
			silent = false
			w.Header().Set("ETag", file.etag)
			w.Header().Set("Content-Length", strconv.Itoa(len(file.file)))
			_, _ = w.Write(file.file[:500])
			_ = http.NewResponseController(w).Flush()
			<-request.Context().Done()
			return
		}
		file.ServeHTTP(w, request)
	}))
	defer front.Close()
	client := newClient(t, Config{BaseURL: front.URL, Token: "rsk_test", Timeout: 300 * time.Millisecond, Retry: RetryPolicy{Initial: time.Millisecond}})
	var to bytes.Buffer
	if _, err := client.Videos.Download(testContext(t), "t", &to); err != nil || !bytes.Equal(to.Bytes(), file.file) {
		t.Errorf("got %v, %d bytes", err, to.Len())
	}
	if got := file.seen[0].Get("Range"); got != "bytes=500-" {
		t.Errorf("went on with %q", got)
	}
}

func TestAnAbandonedDownloadSaysSo(t *testing.T) {
	for _, retryAfter := range []string{"", "30"} {
		ctx, cancel := context.WithCancel(testContext(t))
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			time.AfterFunc(time.Millisecond, cancel)
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			<-request.Context().Done()
		}))
		_, err := newClient(t, Config{BaseURL: server.URL, Token: "rsk_test"}).Videos.Download(ctx, "t", io.Discard)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		server.Close()
	}
}

func TestARangeMayBringLessThanWasAskedFor(t *testing.T) {
	server := newFileServer(t)
	server.cuts, server.limit = []int{1000}, 100000
	var to bytes.Buffer
	result, err := server.client(t).Videos.Download(testContext(t), "t", &to)
	if err != nil || !result.Verified || !bytes.Equal(to.Bytes(), server.file) || len(server.seen) != 4 {
		t.Errorf("got %+v, %v, %d bytes after %d requests", result, err, to.Len(), len(server.seen))
	}
}

func TestNothingIsLeftOfALongerFileThatWasReplaced(t *testing.T) {
	server := newFileServer(t)
	server.cuts, server.digest = []int{1000}, ""
	sent := 0
	server.sending = func() {
		if sent++; sent == 2 {
			server.file, server.etag = []byte("short"), `"v2"`
		}
	}
	path := filepath.Join(t.TempDir(), "v.mp4")
	if _, err := server.client(t).Videos.DownloadFile(testContext(t), "t", path); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "short" {
		t.Errorf("the file has %d bytes", len(got))
	}
}

func TestALinkMayRunOutAgainAfterBytesCame(t *testing.T) {
	server := newFileServer(t)
	server.lacks = true
	server.statuses["/files/v"] = []int{http.StatusForbidden, 0, http.StatusForbidden}
	server.cuts = []int{1000}
	var to bytes.Buffer
	if _, err := server.client(t).Videos.Download(testContext(t), "t", &to); err != nil || !bytes.Equal(to.Bytes(), server.file) {
		t.Errorf("got %v, %d bytes", err, to.Len())
	}
	if server.links != 3 {
		t.Errorf("%d links were asked for, want 3", server.links)
	}
}
