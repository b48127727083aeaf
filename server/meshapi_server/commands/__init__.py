"""What the server adds to the ``meshapi`` command: ``serve``, ``keys``, ``db``, ``files`` and the money's."""
