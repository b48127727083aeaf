"""The asynchronous client. Its synchronous twin in ``_sync`` is generated from it by ``generate_sync.py``."""
