package meshapi

import "fmt"

// maxBodySize is what servers take (wire.md section 1); they answer 413 to more.
const maxBodySize = 32 << 20

// encodeBody writes the body of a create, and refuses one that no server would take before it is sent.
func encodeBody(params VideoGenerationParams) ([]byte, error) {
	body, err := encode(params)
	if err != nil {
		return nil, misconfigured("the parameters cannot be written as JSON: %v", err)
	}
	if len(body) > maxBodySize {
		return nil, &MeshAPIError{
			Code: "request_too_large",
			Message: fmt.Sprintf("the request has %.1f MiB, and servers take %d MiB: nothing was sent; send media as http(s)"+
				" URLs, or smaller (a file of 3 MiB travels as 4 MiB)", float64(len(body))/(1<<20), maxBodySize>>20),
			kind: ErrRequestTooLarge,
		}
	}
	return body, nil
}
