"""Run as an interpreter: like Python itself, but whoever looks up a name or connects is noted and refused.

``offline.py NOTES -m MODULE ARGUMENTS`` or ``offline.py NOTES -c CODE ARGUMENTS``.
"""

import runpy
import sys
from pathlib import Path

NETWORK = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}


def main() -> None:
    notes, kind, what = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if event in NETWORK:
            with notes.open("a") as file:
                file.write(f"{event} {arguments[1:]}\n")
            raise ConnectionRefusedError(f"{event}: this process has no network")

    sys.addaudithook(refuse)
    sys.argv = [kind, *sys.argv[4:]]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    main()
