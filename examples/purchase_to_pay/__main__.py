"""Replay a log from the command line; exit status 130 if that is interrupted."""

from __future__ import annotations

import sys

_INTERRUPTED = 130


def _run() -> int:
    try:
        # Here, since loading the library takes long enough to be interrupted, too.
        from .command import main  # noqa: PLC0415

        return main()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(_run())
