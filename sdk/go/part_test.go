//go:build unix

package meshapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// breakOff downloads to path with a connection that breaks after so many bytes and does not come back.
func breakOff(t *testing.T, server *fileServer, path string, length int) error {
	t.Helper()
	server.cuts = []int{length, 0}
	_, err := server.client(t).Videos.DownloadFile(testContext(t), "t", path, WithMaxRetries(0))
	if err == nil {
		t.Fatal("the download did not break off")
	}
	server.cuts, server.seen = nil, nil
	return err
}

func namesIn(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

func TestADownloadThatBrokeOffIsGoneOnWithByTheNext(t *testing.T) {
	server := newFileServer(t)
	path := filepath.Join(t.TempDir(), "v.mp4")
	err := breakOff(t, server, path, 1000)
	if !errors.Is(err, ErrDownload) || !strings.Contains(err.Error(), "its first 1000 bytes are kept") {
		t.Errorf("got %v", err)
	}
	if names := namesIn(t, filepath.Dir(path)); names != ".v.mp4.part .v.mp4.part.json" {
		t.Errorf("it left %s", names)
	}
	result, err := server.client(t).Videos.DownloadFile(testContext(t), "t", path)
	if err != nil || result.Resumed != 1000 || !result.Verified || result.Size != int64(len(server.file)) {
		t.Fatalf("got %+v, %v", result, err)
	}
	if got := server.seen[0]; got.Get("Range") != "bytes=1000-" || got.Get("If-Range") != `"v1"` {
		t.Errorf("asked for %s if %s", got.Get("Range"), got.Get("If-Range"))
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, server.file) || namesIn(t, filepath.Dir(path)) != "v.mp4" {
		t.Errorf("the file has %d bytes, and there are %s", len(got), namesIn(t, filepath.Dir(path)))
	}
}

func TestAPartOfAFileThatChangedIsBegunAnew(t *testing.T) {
	server := newFileServer(t)
	path := filepath.Join(t.TempDir(), "v.mp4")
	_ = breakOff(t, server, path, 1000)
	server.file = bytes.ToUpper(server.file)
	sum := sha256.Sum256(server.file)
	server.etag, server.digest = `"v2"`, "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":"
	result, err := server.client(t).Videos.DownloadFile(testContext(t), "t", path)
	if got, _ := os.ReadFile(path); err != nil || result.Resumed != 0 || !bytes.Equal(got, server.file) {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestADamagedPartIsBegunAnewOnce(t *testing.T) {
	server := newFileServer(t)
	path := filepath.Join(t.TempDir(), "v.mp4")
	_ = breakOff(t, server, path, 1000)
	part := filepath.Join(filepath.Dir(path), ".v.mp4.part")
	if err := os.WriteFile(part, bytes.Repeat([]byte("?"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := server.client(t).Videos.DownloadFile(testContext(t), "t", path)
	if got, _ := os.ReadFile(path); err != nil || result.Resumed != 0 || !bytes.Equal(got, server.file) || len(server.seen) != 2 {
		t.Errorf("got %+v, %v after %d requests", result, err, len(server.seen))
	}
}

func TestAWholePartNeedsNoRequest(t *testing.T) {
	server := newFileServer(t)
	path := filepath.Join(t.TempDir(), "v.mp4")
	_ = breakOff(t, server, path, 1000)
	part := filepath.Join(filepath.Dir(path), ".v.mp4.part")
	if err := os.WriteFile(part, server.file, 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := server.client(t).Videos.DownloadFile(testContext(t), "t", path)
	if err != nil || result.Resumed != int64(len(server.file)) || !result.Verified || len(server.seen) != 0 {
		t.Errorf("got %+v, %v after %d requests", result, err, len(server.seen))
	}
}

func TestOnlyAPartOfTheSameResultThatCanBeRecognisedIsGoneOnWith(t *testing.T) {
	for name, spoil := range map[string]func(server *fileServer, notes string) error{
		"another task": func(server *fileServer, notes string) error {
			return os.WriteFile(notes, []byte(fmt.Sprintf(`{"server":%q,"task_id":"u","variant":"video","etag":"\"v1\""}`, server.URL)), 0o600)
		},
		"another variant": func(server *fileServer, notes string) error {
			return os.WriteFile(notes, []byte(fmt.Sprintf(`{"server":%q,"task_id":"t","variant":"last_frame","etag":"\"v1\""}`, server.URL)), 0o600)
		},
		"nothing to recognise it by": func(server *fileServer, notes string) error {
			return os.WriteFile(notes, []byte(fmt.Sprintf(`{"server":%q,"task_id":"t","variant":"video"}`, server.URL)), 0o600)
		},
		"no notes":        func(_ *fileServer, notes string) error { return os.Remove(notes) },
		"torn notes":      func(_ *fileServer, notes string) error { return os.WriteFile(notes, []byte("{"), 0o600) },
		"notes of a sort": func(_ *fileServer, notes string) error { return os.WriteFile(notes, []byte("[]"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			server := newFileServer(t)
			path := filepath.Join(t.TempDir(), "v.mp4")
			_ = breakOff(t, server, path, 1000)
			if err := spoil(server, filepath.Join(filepath.Dir(path), ".v.mp4.part.json")); err != nil {
				t.Fatal(err)
			}
			result, err := server.client(t).Videos.DownloadFile(testContext(t), "t", path)
			if err != nil || result.Resumed != 0 || server.seen[0].Get("Range") != "" {
				t.Errorf("got %+v, %v", result, err)
			}
		})
	}
}

// The Python SDK writes the same notes; what it has begun is gone on with here.
func TestAPartOfThePythonSDKIsGoneOnWith(t *testing.T) {
	server := newFileServer(t)
	folder := t.TempDir()
	sum := sha256.Sum256(server.file)
	notes := fmt.Sprintf(`{
  "server": %q,
  "task_id": "t",
  "variant": "video",
  "etag": "\"v1\"",
  "sha256": %q,
  "size": %d
}
`, server.URL, hex.EncodeToString(sum[:]), len(server.file))
	err := errors.Join(
		os.WriteFile(filepath.Join(folder, ".v.mp4.part"), server.file[:5000], 0o600),
		os.WriteFile(filepath.Join(folder, ".v.mp4.part.json"), []byte(notes), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	result, err := server.client(t).Videos.DownloadFile(testContext(t), "t", filepath.Join(folder, "v.mp4"))
	if err != nil || result.Resumed != 5000 || !result.Verified {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestAPartThatCouldNotBeRecognisedOrIsOfATaskThatIsGoneIsNotKept(t *testing.T) {
	server := newFileServer(t)
	server.etag, server.digest = "", ""
	folder := t.TempDir()
	if err := breakOff(t, server, filepath.Join(folder, "v.mp4"), 1000); strings.Contains(err.Error(), "kept") {
		t.Errorf("got %v", err)
	}
	if names := namesIn(t, folder); names != "" {
		t.Errorf("it left %s", names)
	}
	server.etag = `"v1"`
	_ = breakOff(t, server, filepath.Join(folder, "v.mp4"), 1000)
	server.statuses["/v1/video/generations/t/content"] = []int{http.StatusGone}
	if _, err := server.client(t).Videos.DownloadFile(testContext(t), "t", filepath.Join(folder, "v.mp4")); err == nil {
		t.Error("it is gone")
	}
	if names := namesIn(t, folder); names != "" {
		t.Errorf("it left %s", names)
	}
}

func TestTwoDownloadsToOnePathDoNotShareAPart(t *testing.T) {
	server := newFileServer(t)
	path := filepath.Join(t.TempDir(), "v.mp4")
	first, err := openPart(path, origin{server.URL, "t", "video"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.client(t).Videos.DownloadFile(testContext(t), "t", path); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Write([]byte("the other one")); err != nil {
		t.Fatal(err)
	}
	if err := first.finish(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "the other one" || namesIn(t, filepath.Dir(path)) != "v.mp4" {
		t.Errorf("there are %s, with %d bytes", namesIn(t, filepath.Dir(path)), len(got))
	}
}

func TestALinkInThePlaceOfAPartIsNotFollowed(t *testing.T) {
	server := newFileServer(t)
	folder := t.TempDir()
	diary := filepath.Join(folder, "diary.txt")
	if err := errors.Join(os.WriteFile(diary, []byte("dear diary"), 0o600), os.Symlink(diary, filepath.Join(folder, ".v.mp4.part"))); err != nil {
		t.Fatal(err)
	}
	if _, err := server.client(t).Videos.DownloadFile(testContext(t), "t", filepath.Join(folder, "v.mp4")); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(diary); string(got) != "dear diary" {
		t.Errorf("the diary says %q", got)
	}
}

// TestDownloadForever is what the test below runs in a process of its own and kills.
func TestDownloadForever(t *testing.T) {
	url, path, ok := strings.Cut(os.Getenv("MESHAPI_TEST_DOWNLOAD"), " ")
	if !ok {
		t.Skip("a part of TestADownloadOfAProcessThatWasKilledIsGoneOnWith")
	}
	_, err := newClient(t, Config{BaseURL: url, Token: "rsk_test"}).Videos.DownloadFile(testContext(t), "t", path)
	t.Error("it ended", err)
}

func TestADownloadOfAProcessThatWasKilledIsGoneOnWith(t *testing.T) {
	server := newFileServer(t)
	half := len(server.file) / 2
	over := make(chan struct{})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		select {
		case <-over:
			server.ServeHTTP(w, request)
			return
		default:
		}
		w.Header().Set("ETag", server.etag)
		w.Header().Set("Repr-Digest", server.digest)
		w.Header().Set("Content-Length", fmt.Sprint(len(server.file)))
		_, _ = w.Write(server.file[:half])
		_ = http.NewResponseController(w).Flush()
		<-over
	}))
	defer front.Close()
	path := filepath.Join(t.TempDir(), "v.mp4")
	process := exec.Command(os.Args[0], "-test.run", "^TestDownloadForever$")
	process.Env = append(os.Environ(), "MESHAPI_TEST_DOWNLOAD="+front.URL+" "+path)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for size := int64(0); size < int64(half); time.Sleep(10 * time.Millisecond) {
		if info, err := os.Stat(filepath.Join(filepath.Dir(path), ".v.mp4.part")); err == nil {
			size = info.Size()
		}
		if time.Now().After(deadline) {
			t.Fatal("the other process does not download")
		}
	}
	_ = process.Process.Kill()
	_ = process.Wait()
	close(over)
	client := newClient(t, Config{BaseURL: front.URL, Token: "rsk_test"})
	result, err := client.Videos.DownloadFile(testContext(t), "t", path)
	if err != nil || result.Resumed != int64(half) || !result.Verified {
		t.Errorf("got %+v, %v", result, err)
	}
}
