"""The files that the command line reads and writes."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from orca_bridge._load import SUFFIXES, read_file
from orca_bridge.exceptions import DocumentFileError
from orca_bridge.syntax import read

from ._output import Refusal, complain, meant

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from orca_bridge.definition import Document, MachineDefinition
    from orca_bridge.syntax import Reading

__all__ = (
    "add_file_options",
    "add_name_option",
    "chosen",
    "content_of",
    "each",
    "read_document",
    "sound",
    "standard_input",
    "write_text",
)

NAMELESS = "<stdin>"


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Add what every verb that reads documents takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a document, or - for standard input")
    add_name_option(parser)


def add_name_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that gives standard input a name."""
    parser.add_argument("--name", default=NAMELESS, help="what to call standard input; *.orca is brace text")


def each(files: Sequence[str], act: Callable[[str], int]) -> int:
    """Do something with every file, whatever became of the others; the worst status wins."""
    worst = 0
    for file in files:
        try:
            status = act(file)
        except Refusal as refusal:
            complain(refusal)
            status = refusal.status
        worst = max(worst, status)
    return worst


# -- reading -----------------------------------------------------------------------------------------------------------


def content_of(file: str, name: str, suffixes: tuple[str, ...] | None = SUFFIXES) -> tuple[bytes, str]:
    """
    Read the bytes of a document, and tell what to call it.

    Args:
        file: Its path, or ``-`` for standard input.
        name: What to call standard input.
        suffixes: How the file may be called; None for any name.

    Raises:
        Refusal: It cannot be read.
    """
    if file == "-":
        return standard_input(), name
    path = Path(file)
    if suffixes is not None and path.suffix.lower() not in suffixes and not path.is_dir():
        *names, last = (f"*{suffix}" for suffix in suffixes)
        raise Refusal(f"{file}: a document is called {', '.join(names)} or {last}")
    try:
        return read_file(file, any_name=True)
    except DocumentFileError as error:
        raise Refusal(error) from None


def standard_input() -> bytes:
    """
    Read what is piped.

    Raises:
        Refusal: Standard input is closed.
    """
    if sys.stdin is None:
        raise Refusal("standard input is closed")
    return sys.stdin.buffer.read()


def read_document(file: str, name: str) -> tuple[Reading, str]:
    """
    Read one document.

    Args:
        file: Its path, or ``-`` for standard input.
        name: What to call standard input.

    Raises:
        Refusal: The file cannot be read.
    """
    content, called = content_of(file, name)
    return read(content, called), called


def sound(reading: Reading) -> Document:
    """
    Give what a document says.

    Raises:
        Refusal: It has errors; all of them are told.
    """
    if reading.errors or reading.document is None:
        raise Refusal("\n".join(map(str, reading.errors)), 1)
    return reading.document


def chosen(machines: Sequence[MachineDefinition], wanted: str | None, name: str) -> tuple[MachineDefinition, ...]:
    """
    Give the machine that is wanted, or all of them.

    Raises:
        Refusal: The document of this name defines no such machine.
    """
    found = tuple(machine for machine in machines if wanted in (None, machine.name))
    if wanted is None or found:
        return found
    known = [machine.name for machine in machines]
    listed = ", ".join(known) or "no machine at all"
    raise Refusal(f"{name} defines no machine {wanted!r}{meant(wanted, known)}; it defines: {listed}")


# -- writing -----------------------------------------------------------------------------------------------------------


def write_text(path: str, text: str, *, replace: bool = True) -> None:
    """
    Write a file, whole or not at all.

    Args:
        path: The file; what a link leads to is written, and not the link.
        text: What it shall hold, as UTF-8.
        replace: Whether a file that exists is written over.

    Raises:
        Refusal: It exists, or cannot be written.
    """
    given, file = Path(path), Path(os.path.realpath(path))
    try:
        if not replace:
            # Made and checked in one go: nobody's file is lost that appears in between.
            with file.open("x", encoding="utf-8"):
                pass
        if given.exists() and not (given.is_file() and file.exists() and given.samefile(file)):
            # A device, or what /dev/stdout leads to; or a directory, which says so itself.
            given.write_text(text, encoding="utf-8", newline="\n")
        else:
            _put(file, text)
    except FileExistsError:
        raise Refusal(f"{path} exists; --force writes over it") from None
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror or error}") from None


def _put(file: Path, text: str) -> None:
    mode = file.stat().st_mode if file.exists() else None
    handle, made = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".tmp", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as temporary:
            temporary.write(text)
        Path(made).chmod(mode & 0o7777 if mode is not None else 0o666 & ~_umask())
        Path(made).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(made).unlink()
        raise


def _umask() -> int:
    # There is no way to ask for it but to set it.
    found = os.umask(0)
    os.umask(found)
    return found
