"""`orca-bridge run` at a real terminal: what somebody sees who types, and how it ends."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="the system has no terminals of this kind")

KETTLE = """\
# machine Kettle
## events
- heat(degrees: int)
- pour
## state cold [initial]
- on heat -> hot
## state hot
- timeout: 200ms -> cold
"""


class Terminal:
    """A command at a terminal; nothing is typed before the command has asked for it."""

    def __init__(self, folder, *arguments):
        self.process, self._channel = pty.fork()
        if self.process == 0:  # pragma: no cover - the other process
            os.chdir(folder)
            # What starts the tests in the background may have had them ignore it, and programs inherit that.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "NO_COLOR": "1"}
            os.execve(sys.executable, [sys.executable, "-m", "orca_bridge", *arguments], environment)  # noqa: S606
        self.seen = ""
        self._known = 0

    def wait_for(self, text):
        """Wait until something is shown behind what was waited for before."""
        end = time.monotonic() + 60
        while text not in self.seen[self._known :]:
            assert time.monotonic() < end, f"{text!r} was not shown: {self.seen!r}"
            self._read()
        self._known = self.seen.index(text, self._known) + len(text)

    def type(self, text):
        """Type something."""
        os.write(self._channel, text.encode())

    def close(self):
        """Wait for the end; gives the exit status and all that was shown."""
        while self._read():
            pass
        _, status = os.waitpid(self.process, 0)
        os.close(self._channel)
        return os.waitstatus_to_exitcode(status), self.seen.replace("\r\n", "\n")

    def _read(self):
        if not select.select([self._channel], [], [], 1)[0]:
            return True
        try:
            found = os.read(self._channel, 4096)
        except OSError:  # how Linux says that the other side is gone
            return False
        self.seen += found.decode()
        return bool(found)


@pytest.fixture
def terminal(tmp_path):
    (tmp_path / "kettle.md").write_text(KETTLE)

    def start(*options):
        found = Terminal(Path(tmp_path), "run", "kettle.md", *options)
        found.wait_for("\n> ")
        return found

    return start


def test_a_conversation(terminal):
    """Each answer begins a line, and so does what comes behind Ctrl-D."""
    found = terminal("--clock", "manual")
    for line in ("heat degrees=90\n", "poor\n", "\n"):
        found.type(line)
        found.wait_for("\n> ")
    found.type("\x04")

    status, seen = found.close()
    assert status == 0
    assert seen.split("\n") == [
        "Kettle: type an event, or :help",
        "in cold",
        "  takes heat(degrees: int)",
        "> heat degrees=90",
        "cold -> hot",
        "  takes no event by name",
        "> poor",
        "refused",
        "  the machine knows no event 'poor'; is 'pour' meant?",
        "> ",
        "> ",
        "",
    ]


def test_a_timer(terminal):
    """What happens by itself begins a line of its own, and a line is asked for again."""
    found = terminal()
    found.type("heat\n")
    found.wait_for("takes no event by name\r\n> ")
    found.wait_for("\n> ")
    found.type(":quit\n")
    status, seen = found.close()

    assert status == 0
    assert "> \nhot -> cold\n  takes heat(degrees: int)\n> :quit\n" in seen


def test_ctrl_c(terminal):
    """Ctrl-C ends the conversation with a word on a line of its own."""
    found = terminal()
    found.type("\x03")
    status, seen = found.close()

    assert status == 130
    assert seen.endswith("\norca-bridge: interrupted\n")
