"""Telling callers that a task ended: events, signed deliveries, a feed."""
