package meshapi

import (
	"fmt"
	"strings"
)

const (
	generationsPath = "/v1/video/generations"
	quotePath       = "/v1/video/quote"
	modelsPath      = "/v1/models"
	webhooksPath    = "/v1/webhooks"
	eventsPath      = "/v1/events"
	usagePath       = "/v1/usage"
	healthPath      = "/healthz"
)

// generationPath is the path of one task, or of something under it such as "cancel" (contract: path-escaping).
func generationPath(taskID, action string) (string, error) {
	segment, err := escapeSegment(taskID, "task id", taskID)
	if err != nil {
		return "", err
	}
	if action != "" {
		action = "/" + action
	}
	return generationsPath + "/" + segment + action, nil
}

// modelPath is the path of one model, whose id is segments divided by slashes.
func modelPath(modelID string) (string, error) {
	path := modelsPath
	for _, part := range strings.Split(modelID, "/") {
		segment, err := escapeSegment(part, "model id", modelID)
		if err != nil {
			return "", err
		}
		path += "/" + segment
	}
	return path, nil
}

// webhookPath is the path of something of callbacks: "endpoints", one by its id, or an action on it.
func webhookPath(parts ...string) (string, error) {
	path := webhooksPath
	for _, part := range parts {
		segment, err := escapeSegment(part, "webhook id", part)
		if err != nil {
			return "", err
		}
		path += "/" + segment
	}
	return path, nil
}

// escapeSegment percent-encodes every byte that is not unreserved (RFC 3986 section 2.3), so that an id cannot reach
// another endpoint. "." and ".." are refused: readers of URLs resolve them in their encoded form too.
func escapeSegment(segment, noun, whole string) (string, error) {
	if segment == "" || segment == "." || segment == ".." {
		return "", &MeshAPIError{
			Code:    codeInvalidID,
			Message: fmt.Sprintf("%q is no %s: it has an empty segment, \".\" or \"..\"", whole, noun),
			kind:    ErrInvalidID,
		}
	}
	var escaped strings.Builder
	for index := range len(segment) {
		if character := segment[index]; isUnreserved(character) {
			escaped.WriteByte(character)
		} else {
			fmt.Fprintf(&escaped, "%%%02X", character)
		}
	}
	return escaped.String(), nil
}

func isUnreserved(character byte) bool {
	switch {
	case 'a' <= character && character <= 'z', 'A' <= character && character <= 'Z', '0' <= character && character <= '9':
		return true
	}
	return strings.IndexByte("-._~", character) >= 0
}
