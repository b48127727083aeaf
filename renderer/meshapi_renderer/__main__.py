"""Start the render process: `python -m meshapi_renderer`, with one job on standard input."""

import sys

from meshapi_renderer.worker import main

if __name__ == "__main__":
    sys.exit(main())
