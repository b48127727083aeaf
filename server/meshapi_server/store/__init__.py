"""Durable state behind the ports of the task and account rooms."""
