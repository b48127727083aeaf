package meshapi

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
)

// maxPicture is the largest picture that can be sent within a request: the request as a whole may have 32 MiB
// (wire.md section 1), and base64 makes four bytes of three.
const maxPicture = 20 << 20

// ImageFile is a content item of a picture on this machine, which is sent within the request: at most 20 MiB, and 32 MiB
// for the whole request. Set its Role if it has one. The error (ErrMedia) says why a file cannot be sent: not there, no
// picture, or too large; nothing is sent then.
func ImageFile(path string) (VideoContentItem, error) {
	info, err := os.Stat(path)
	if err != nil {
		return VideoContentItem{}, unusable(err, "the picture %q cannot be read: %v", path, err)
	}
	if info.Size() > maxPicture {
		return VideoContentItem{}, tooLarge(fmt.Sprintf("%q", path), info.Size())
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return VideoContentItem{}, unusable(err, "the picture %q cannot be read: %v", path, err)
	}
	return imageOf(content, fmt.Sprintf("%q", path))
}

// ImageBytes is a content item of a picture in memory, see ImageFile.
func ImageBytes(content []byte) (VideoContentItem, error) {
	return imageOf(content, "the picture given as bytes")
}

// ImageReader is a content item of a picture that is read to its end, see ImageFile.
func ImageReader(reader io.Reader) (VideoContentItem, error) {
	content, err := io.ReadAll(io.LimitReader(reader, maxPicture+1))
	if err != nil {
		return VideoContentItem{}, unusable(err, "the picture cannot be read: %v", err)
	}
	return imageOf(content, "the picture")
}

func imageOf(content []byte, told string) (VideoContentItem, error) {
	if len(content) > maxPicture {
		return VideoContentItem{}, tooLarge(told, int64(len(content)))
	}
	kind := kindOf(content)
	if kind == "" {
		found := "it is empty"
		if len(content) > 0 {
			found = fmt.Sprintf("it begins %q", content[:min(len(content), 8)])
		}
		return VideoContentItem{}, unusable(nil, "%s is not a picture of a known kind (%s); known are PNG, JPEG, WebP, GIF,"+
			" BMP, TIFF, AVIF and HEIC", told, found)
	}
	url := "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(content)
	return VideoContentItem{Type: "image_url", ImageURL: &url}, nil
}

var pictureSignatures = []struct{ begins, kind string }{
	{"\x89PNG\r\n\x1a\n", "image/png"}, {"\xff\xd8\xff", "image/jpeg"}, {"GIF87a", "image/gif"}, {"GIF89a", "image/gif"},
	{"BM", "image/bmp"}, {"II*\x00", "image/tiff"}, {"MM\x00*", "image/tiff"},
}

var pictureBrands = map[string]string{"avif": "image/avif", "heic": "image/heic", "heix": "image/heic", "mif1": "image/heif"}

// kindOf is the MIME type of a picture by its first bytes, "" for what is none.
func kindOf(content []byte) string {
	for _, each := range pictureSignatures {
		if bytes.HasPrefix(content, []byte(each.begins)) {
			return each.kind
		}
	}
	if len(content) < 12 {
		return ""
	}
	switch brand := string(content[8:12]); {
	case string(content[:4]) == "RIFF" && brand == "WEBP":
		return "image/webp"
	case string(content[4:8]) == "ftyp":
		return pictureBrands[brand]
	}
	return ""
}

func tooLarge(told string, size int64) *MeshAPIError {
	return unusable(nil, "%s has %.1f MiB; at most %d MiB can be sent within a request; make it smaller, or give its"+
		" http(s) URL", told, float64(size)/(1<<20), maxPicture>>20)
}

func unusable(cause error, format string, arguments ...any) *MeshAPIError {
	return &MeshAPIError{Code: codeMedia, Message: fmt.Sprintf(format, arguments...), cause: cause, kind: ErrMedia}
}
