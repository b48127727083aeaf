package meshapi

import (
	"net/http"
	"strings"
	"sync/atomic"
)

// service is what a client has learnt about the server behind its base URL.
//
// honoursKeys starts false and can only become true: a create is repeated on evidence, never on hope
// (docs/decisions/0003-retrying-a-create.md). The others become true when the server shows that it lacks the feature,
// so that it is not asked for again at every call.
type service struct {
	honoursKeys   atomic.Bool
	lacksEvents   atomic.Bool
	lacksLongPoll atomic.Bool
	lacksContent  atomic.Bool
}

// observe learns from any answer whether idempotency keys are honoured.
func (s *service) observe(header http.Header) {
	told := strings.TrimSpace(header.Get("X-Mesh-Idempotency"))
	if strings.EqualFold(told, "supported") || len(header.Values("Idempotent-Replayed")) > 0 {
		s.honoursKeys.Store(true)
	}
}
