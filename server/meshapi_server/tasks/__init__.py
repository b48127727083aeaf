"""The life of a task: states, service, worker. No HTTP, no SQL, no upstream names."""
