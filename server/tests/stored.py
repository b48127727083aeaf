"""Results on this machine's disk, for suites to which it does not matter where results are."""

from pathlib import Path

from meshapi_server.files.local import LocalStorage
from meshapi_server.files.results import Results
from meshapi_server.files.workshop import Workshop


class LocalFiles(Results):
    """Results under one directory, as a server keeps them by default; nothing is measured."""

    def __init__(self, root: Path) -> None:
        self._local = LocalStorage(root / "files")
        super().__init__(Workshop(root / "work"), self._local)

    def path(self, task_id: str, name: str) -> Path | None:
        """Where a stored file is; None when it is not there."""
        return self._local.path(task_id, name)
