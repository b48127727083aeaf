package meshapi

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

const png = "\x89PNG\r\n\x1a\n and so on"

func TestAPictureOfThisMachineIsSentAsADataURI(t *testing.T) {
	path := filepath.Join(t.TempDir(), "first.png")
	if err := os.WriteFile(path, []byte(png), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(png))
	for name, make := range map[string]func() (VideoContentItem, error){
		"a file":   func() (VideoContentItem, error) { return ImageFile(path) },
		"bytes":    func() (VideoContentItem, error) { return ImageBytes([]byte(png)) },
		"a reader": func() (VideoContentItem, error) { return ImageReader(strings.NewReader(png)) },
	} {
		item, err := make()
		if err != nil || item.Type != "image_url" || *item.ImageURL != want {
			t.Errorf("%s: got %+v, %v", name, item, err)
		}
		item.Role = String("first_frame")
		sent := bodySent(t, VideoGenerationParams{Model: "m/x", Content: []VideoContentItem{item}})
		picture := sent.(map[string]any)["content"].([]any)[0].(map[string]any)
		if picture["role"] != "first_frame" || picture["image_url"].(map[string]any)["url"] != want {
			t.Errorf("%s: sent %v", name, picture)
		}
	}
}

func TestTheKindOfAPictureIsWhatItsBytesSay(t *testing.T) {
	for content, kind := range map[string]string{
		png: "image/png", "\xff\xd8\xff\xe0": "image/jpeg", "GIF89a": "image/gif", "BM...": "image/bmp",
		"RIFF\x00\x00\x00\x00WEBPVP8 ": "image/webp", "\x00\x00\x00\x1cftypavif": "image/avif",
		"\x00\x00\x00\x1cftypheic": "image/heic", "II*\x00": "image/tiff",
	} {
		item, err := ImageBytes([]byte(content))
		if err != nil || !strings.HasPrefix(*item.ImageURL, "data:"+kind+";base64,") {
			t.Errorf("%q: got %+v, %v", content, item, err)
		}
	}
}

func TestWhatCannotBeSentAsAPictureIsRefusedWithWhatWasFound(t *testing.T) {
	folder := t.TempDir()
	large := filepath.Join(folder, "large.png")
	if err := errors.Join(os.WriteFile(large, nil, 0o600), os.Truncate(large, maxPicture+1)); err != nil {
		t.Fatal(err)
	}
	for told, make := range map[string]func() (VideoContentItem, error){
		`begins "dear dia"`: func() (VideoContentItem, error) { return ImageBytes([]byte("dear diary, this is no picture")) },
		"it is empty":       func() (VideoContentItem, error) { return ImageBytes(nil) },
		"20.0 MiB; at most 20 MiB can be sent": func() (VideoContentItem, error) {
			return ImageFile(large)
		},
		"given as bytes has 20.0 MiB": func() (VideoContentItem, error) { return ImageBytes(make20MiB()) },
		"the picture has 20.0 MiB":    func() (VideoContentItem, error) { return ImageReader(bytes.NewReader(make20MiB())) },
		"no such file":                func() (VideoContentItem, error) { return ImageFile(filepath.Join(folder, "none.png")) },
		"is a directory":              func() (VideoContentItem, error) { return ImageFile(folder) },
		"timeout": func() (VideoContentItem, error) {
			return ImageReader(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(png))))
		},
	} {
		if item, err := make(); !errors.Is(err, ErrMedia) || !strings.Contains(err.Error(), told) {
			t.Errorf("%s: got %+v, %v", told, item, err)
		}
	}
	if _, err := ImageFile(filepath.Join(folder, "none.png")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func make20MiB() []byte { return append([]byte(png), make([]byte, maxPicture)...) }
