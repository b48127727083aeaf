package meshapi

// String returns a pointer to value, for optional fields.
func String(value string) *string { return &value }

// Int returns a pointer to value, for optional fields.
func Int(value int) *int { return &value }

// Bool returns a pointer to value, for optional fields.
func Bool(value bool) *bool { return &value }

// Float64 returns a pointer to value, for optional fields.
func Float64(value float64) *float64 { return &value }
