"""
``orca-bridge run``: speak with a machine.

What is typed and what is piped is read alike, a line at a time: ``pay amount=5``, ``pay {"amount": 5}``, or one JSON
object, ``{"event": "pay", "payload": {"amount": 5}}``. A line that begins with a colon is a command. On a terminal
the answers are for people, otherwise each line has a line of JSON for an answer.
"""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from orca_bridge.exceptions import ConversionError, MissingActionError
from statemachines_orchestrator.exceptions import SnapshotError, SnapshotMismatchError

from ._bridge import answer
from ._conversation import Conversation
from ._dialogue import Dialogue, JsonLines
from ._files import chosen, read_document, sound
from ._keep import DAMAGED, Log, Store
from ._kinds import kinds_of
from ._output import Refusal, complain
from ._session import Session

if TYPE_CHECKING:
    import argparse

    from ._kinds import Kinds

__all__ = ("add_to",)


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "run", help="run a machine: type events, or pipe them as lines of JSON"
    )
    parser.add_argument("file", metavar="FILE", help="a document")
    parser.add_argument("--machine", metavar="M", help="this machine instead of the first")
    parser.add_argument("--actions", metavar="MODULE:ATTR", help="handlers of its actions: a mapping, object or class")
    parser.add_argument("--context", metavar="JSON", help="values to start with, as a JSON object")
    parser.add_argument("--clock", choices=("real", "manual"), default="real", help="whether time passes by itself")
    parser.add_argument("--lenient", action="store_true", help="pass over actions that have no handler")
    parser.add_argument("--persist", metavar="DIR", help="keep the state in this folder; the next call goes on there")
    parser.add_argument("--run-id", metavar="ID", help="the name under which it is kept")
    parser.add_argument("--log", metavar="FILE", help="append a line of JSON for every transition")
    parser.add_argument("--bridge", action="store_true", help="answer one invocation of the bridge protocol instead")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run one machine until it has ended, or the input has; status 1 if something in it failed."""
    if options.bridge:
        return _answer(options)
    if options.file == "-":
        raise Refusal("run: events come from standard input, so the document has to be a file")
    if sys.stdin is None:
        raise Refusal("run: standard input is closed")
    context, store = _context(options.context), _store(options)
    with ExitStack() as closing:
        session = _session(_kinds(options), context, options, store)
        closing.callback(session.close)
        if options.log is not None:
            closing.callback(Log(options.log, options.run_id or "", session).close)
        at_terminal = sys.stdin.isatty() and sys.stdout is not None and sys.stdout.isatty()
        view = Dialogue(session) if at_terminal else JsonLines(session)
        return Conversation(session, view, store, real=options.clock == "real").run()


def _answer(options: argparse.Namespace) -> int:
    unused = {
        "--persist": options.persist,
        "--run-id": options.run_id,
        "--log": options.log,
        "--context": options.context,
        "--clock manual": None if options.clock == "real" else options.clock,
    }
    for flag, value in unused.items():
        if value is not None:
            raise Refusal(f"run --bridge answers one invocation and ends; {flag} has no use there")
    return answer(options, _actions(options.actions))


def _store(options: argparse.Namespace) -> Store | None:
    if options.persist is None:
        if options.run_id is not None and options.log is None:
            raise Refusal("--run-id names what is kept; give the folder with --persist")
        return None
    if options.run_id is None:
        raise Refusal("--persist keeps the state under a name; give one with --run-id")
    return Store(options.persist, options.run_id)


def _kinds(options: argparse.Namespace) -> Kinds:
    reading, name = read_document(options.file, options.file)
    document = sound(reading)
    if not document.machines:
        raise Refusal(f"{name} defines no machine", 1)
    definition = chosen(document.machines, options.machine, name)[0]
    actions = _actions(options.actions)
    # Who types without handlers wants to see what the document does.
    lenient = options.lenient or (actions is None and sys.stdin.isatty())
    try:
        kinds = kinds_of(definition, reading, actions, lenient=lenient)
    except MissingActionError as error:
        raise Refusal(
            f"{error}\nGive handlers with --actions MODULE:ATTR, or pass over them with --lenient.", 1
        ) from None
    except ConversionError as error:
        raise Refusal(error, 1) from None
    for machine in kinds.unknown:
        complain(f"{machine!r} is invoked, and {name} does not define it: the invoke will fail")
    return kinds


def _session(kinds: Kinds, context: dict[str, Any] | None, options: argparse.Namespace, store: Store | None) -> Session:
    saved = store.saved() if store is not None else None
    if saved is not None and context is not None:
        complain(f"the run {options.run_id!r} goes on where it was; --context is for a new one")
    try:
        session = Session(kinds, context=context, manual=options.clock == "manual", saved=saved)
    except SnapshotMismatchError as error:
        raise Refusal(f"{_place(store)} was saved by another definition:\n{_listed(error)}") from None
    except SnapshotError as error:
        raise Refusal(f"{_place(store)} cannot be read:\n{_listed(error)}\n{DAMAGED}") from None
    except Exception as error:  # noqa: BLE001 - an action on the initial entry may raise anything
        raise Refusal(f"the machine failed at its start: {type(error).__name__}: {error}", 1) from None
    if store is not None and saved is None:
        store.save(session)
    return session


def _place(store: Store | None) -> str:
    return store.path if store is not None else ""


def _listed(error: SnapshotError) -> str:
    return "\n".join(f"- {problem}" for problem in error.problems)


def _actions(place: str | None) -> Any:
    """Import handlers; what stands in the working directory is found, as with ``python -m``."""
    if place is None:
        return None
    module, _, attribute = place.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")
    # A run leaves nothing behind but what it is asked for.
    compiles, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split(".") if attribute else ():
            found = getattr(found, part)
        return found() if isinstance(found, type) else found
    except Exception as error:  # noqa: BLE001 - importing runs the module, and making the object its class
        raised = "" if isinstance(error, ImportError | AttributeError | ValueError) else f"{type(error).__name__}: "
        raise Refusal(f"--actions {place}: {raised}{error}; write MODULE:ATTR, such as shop.actions:Handlers") from None
    finally:
        sys.dont_write_bytecode = compiles


def _context(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"--context is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Refusal('--context is no JSON object, such as {"name": "value"}')
    return found
