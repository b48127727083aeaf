"""What the server adds to the ``meshapi`` command: ``serve`` and ``keys``."""
