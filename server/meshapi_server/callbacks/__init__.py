"""Telling callers that a task ended: signed deliveries. Not served yet (see the room's README)."""
