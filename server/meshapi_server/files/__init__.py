"""Results: put, get, links that open without a login."""
