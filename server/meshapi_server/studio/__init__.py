"""The studio page. Not served yet (see the room's README)."""
