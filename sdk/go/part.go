package meshapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// part is a file on its way, ".name.part" beside the goal, and in ".name.part.json" what is needed to go on with it in
// another process: which result the bytes belong to, and how to tell later whether they still fit. The Python SDK writes
// the same. One process at a time holds a part; another one that downloads to the same goal has a part of its own, which
// it does not keep.
type part struct {
	*os.File
	path  string
	notes string // "" for a part that is not kept
	goal  string
	of    origin
	kept  *kept
}

// origin is which result a file holds.
type origin struct {
	Server  string `json:"server"`
	TaskID  string `json:"task_id"`
	Variant string `json:"variant"`
}

// begun is what a file can be recognised by: its strong ETag, its SHA-256, its size; zero (size: unknownSize) if unknown.
type begun struct {
	etag   string
	digest []byte
	size   int64
}

// kept is what an earlier download has left of the same result: its first bytes, hashed.
type kept struct {
	begun
	received int64
	hash     hash.Hash
}

// partNotes is the file beside a part.
type partNotes struct {
	origin
	ETag   *string `json:"etag"`
	SHA256 *string `json:"sha256"`
	Size   *int64  `json:"size"`
}

func openPart(goal string, of origin) (*part, error) {
	if info, err := os.Stat(goal); err == nil && info.IsDir() {
		return nil, errors.New("it is a directory; name a file in it")
	}
	folder, name := filepath.Split(goal)
	p := &part{path: filepath.Join(folder, "."+name+".part"), goal: goal, of: of}
	if p.File = heldFile(p.path); p.File != nil {
		p.notes = p.path + ".json"
	} else {
		var err error
		p.path = filepath.Join(folder, fmt.Sprintf(".%s.%08x.part", name, rand.Uint32()))
		if p.File, err = os.OpenFile(p.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666); err != nil {
			return nil, err
		}
	}
	if p.kept = p.earlier(); p.kept == nil {
		if err := errors.Join(p.Truncate(0), rewound(p.File)); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

// heldFile is the part, open and held by this process alone; nil where that cannot be.
func heldFile(path string) *os.File {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o666)
		if err != nil {
			return nil // somebody else's; a folder that takes no files shows when the next one is made
		}
		if !lock(file) {
			_ = file.Close()
			removeIfEmpty(path)
			return nil
		}
		opened, failed := file.Stat()
		named, missing := os.Stat(path)
		if failed == nil && missing == nil && os.SameFile(opened, named) {
			return file
		}
		_ = file.Close() // its holder has just finished and given it its name
	}
}

// removeIfEmpty takes back a file that was made for nothing, where there are no locks.
func removeIfEmpty(path string) {
	if info, err := os.Stat(path); err == nil && noFollow == 0 && info.Size() == 0 {
		_ = os.Remove(path)
	}
}

func rewound(file *os.File) error {
	_, err := file.Seek(0, io.SeekStart)
	return err
}

// earlier is what is there, if it is of this result and can be recognised later.
func (p *part) earlier() *kept {
	if p.notes == "" {
		return nil
	}
	var notes partNotes
	content, err := os.ReadFile(p.notes)
	if err != nil || json.Unmarshal(content, &notes) != nil || notes.origin != p.of {
		return nil
	}
	found := &kept{begun: notes.begun(), hash: sha256.New()}
	if found.etag == "" && found.digest == nil {
		return nil
	}
	if found.received, err = io.Copy(found.hash, p.File); err != nil || found.received == 0 {
		return nil
	}
	return found
}

func (n partNotes) begun() begun {
	facts := begun{size: unknownSize}
	if n.ETag != nil {
		facts.etag = *n.ETag
	}
	if n.SHA256 != nil {
		facts.digest, _ = hex.DecodeString(*n.SHA256)
	}
	if n.Size != nil && *n.Size >= 0 {
		facts.size = *n.Size
	}
	return facts
}

// note writes down what the bytes to come can be recognised by.
func (p *part) note(facts begun) error {
	if p.notes == "" {
		return nil
	}
	if facts.etag == "" && len(facts.digest) == 0 {
		if err := os.Remove(p.notes); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	notes := partNotes{origin: p.of}
	if facts.etag != "" {
		notes.ETag = &facts.etag
	}
	if len(facts.digest) > 0 {
		notes.SHA256 = String(hex.EncodeToString(facts.digest))
	}
	if facts.size != unknownSize {
		notes.Size = &facts.size
	}
	content, err := json.MarshalIndent(notes, "", "  ")
	if err != nil {
		return err
	}
	fresh := fmt.Sprintf("%s.%08x", p.notes, rand.Uint32())
	if err := os.WriteFile(fresh, append(content, '\n'), 0o666); err != nil {
		return err
	}
	return os.Rename(fresh, p.notes)
}

// finish gives the file its name. Where files are held it gets it before it is let go.
func (p *part) finish() error {
	if p.notes == "" {
		if err := p.Close(); err != nil {
			return errors.Join(err, os.Remove(p.path))
		}
		return os.Rename(p.path, p.goal)
	}
	err := os.Rename(p.path, p.goal)
	p.forget()
	return errors.Join(err, p.Close())
}

// leave gives up; it returns how many bytes are kept for another time.
func (p *part) leave(keep bool) int64 {
	defer func() { _ = p.Close() }()
	info, err := p.Stat()
	_, unnoted := os.Stat(p.notes)
	if keep && p.notes != "" && err == nil && info.Size() > 0 && unnoted == nil {
		return info.Size()
	}
	if p.notes == "" {
		_ = p.Close()
	}
	_ = os.Remove(p.path)
	p.forget()
	return 0
}

func (p *part) forget() {
	if p.notes != "" {
		_ = os.Remove(p.notes)
	}
}
