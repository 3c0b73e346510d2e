"""Canonical Markdown loses nothing, and written again it is the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_read_brace import BRACE, MARKDOWN
from test_read_tables import TEXT

from orca_bridge.cli import main
from orca_bridge.exceptions import DocumentError, WritingError
from orca_bridge.syntax import parse_document, read
from orca_bridge.write import format_document, to_markdown

CORPUS = Path(os.environ.get("CORPUS_DIR", ""))
FOUND = sorted((CORPUS / "orca" / "corpus").glob("*/*.orca*")) if CORPUS.name else []
OWN = [("door.orca", BRACE), ("door.md", MARKDOWN), ("routing.md", TEXT)]
WILD = [(path.name, path.read_text("utf-8")) for path in FOUND]

UNTIDY = """\
---
title: Lamp
---
# The lamp

# Machine Lamp
<!-- bought in May -->
A lamp.
- version: 2.0
* owner: me

##transitions
From | Event | To | Note
---|---|---|---
off | flip | on | clicks

Why it flips.

## State off [initial] "dark" <!-- at night -->
* On_Entry : `dim`, rest

Prose below.

```
code
```
### persistence
- file: x
## state on
> bright
- on flip -> off : dim
## guards
| Name | Expression |
|---|---|
| night | `ctx.hour > 20 || ctx.hour < 6` |

# Appendix

The end.
"""
TIDY = """\
---
title: Lamp
---
# The lamp

# machine Lamp

> A lamp.

- version: 2.0
- owner: me

<!-- bought in May -->

## state off [initial] "dark"
- on_entry: dim, rest

<!-- at night -->

Prose below.

```
code
```

### persistence
- file: x

## state on
> bright

## transitions

| Source | Event | Guard | Target | Action | Note   |
|--------|-------|-------|--------|--------|--------|
| off    | flip  |       | on     |        | clicks |
| on     | flip  |       | off    | dim    |        |

Why it flips.

## guards

| Name  | Expression                        |
|-------|-----------------------------------|
| night | `ctx.hour > 20 \\|\\| ctx.hour < 6` |

# Appendix

The end.
"""


def test_an_untidy_document():
    """Spelling changes, and prose, comments, code, unknown sections and columns keep their place."""
    assert format_document(UNTIDY, "lamp.md").text == TIDY


@pytest.mark.parametrize(("name", "text"), [*OWN, *WILD], ids=lambda value: value if len(value) < 80 else "")
def test_nothing_is_lost(name, text):
    """What is written is read as the same definition, and written again it is the same text."""
    found = format_document(text, name)

    assert parse_document(found.text, f"{name}.md") == parse_document(text, name)
    assert format_document(found.text, f"{name}.md").text == found.text


LINES = sorted({line for _, text in [*OWN, ("", UNTIDY), *WILD] for line in text.split("\n")})


@given(st.sampled_from([*OWN, ("lamp.md", UNTIDY), *WILD]), st.data())
def test_whatever_is_accepted_survives(document, data):
    """A document with lines from others in it, if it has no errors, is written without loss or refused."""
    name, text = document
    lines = text.split("\n")
    for line in data.draw(st.lists(st.sampled_from(LINES), max_size=3)):
        lines.insert(data.draw(st.integers(0, len(lines))), line)
    reading = read("\n".join(lines), name)
    if reading.errors or reading.document is None:
        return

    found = format_document("\n".join(lines), name)

    assert format_document(found.text, f"{name}.md").text == found.text


def test_without_a_text():
    """A definition is written alike without the text it came from."""
    document = parse_document(MARKDOWN, "door.md")

    assert parse_document(to_markdown(document), "door.md") == document


def test_a_broken_document_is_refused():
    """Only a document without errors is written."""
    with pytest.raises(DocumentError):
        format_document("# machine M\n", "m.md")


def test_too_deep_for_headings():
    """Markdown has six levels, and brace text more."""
    text = "machine M\n" + "".join(f"state s{level} [initial] {{ " for level in range(7)) + "}" * 7

    with pytest.raises(WritingError, match="nest 7 deep"):
        format_document(text, "m.orca")


class TestCommandLine:
    def test_in_place(self, tmp_path, capsys):
        """A file is replaced by its canonical form, and left alone when it has it."""
        file = tmp_path / "lamp.md"
        file.write_text(UNTIDY, "utf-8")

        assert main(["fmt", "--check", str(file)]) == 1
        assert main(["fmt", str(file)]) == 0
        assert file.read_text("utf-8") == TIDY
        assert main(["fmt", "--check", str(file)]) == 0
        assert "would change" in capsys.readouterr().err

    def test_a_difference(self, tmp_path, capsys):
        """What would change can be looked at first."""
        file = tmp_path / "lamp.md"
        file.write_text(UNTIDY, "utf-8")

        assert main(["fmt", "--diff", str(file)]) == 0
        assert "-# Machine Lamp\n+# machine Lamp\n" in capsys.readouterr().out
        assert file.read_text("utf-8") == UNTIDY

    def test_brace_text(self, tmp_path, capsys):
        """Brace text is written to another file, and never over itself."""
        file, other = tmp_path / "door.orca", tmp_path / "door.orca.md"
        file.write_text(BRACE, "utf-8")

        assert main(["fmt", str(file)]) == 2
        assert main(["fmt", str(file), "-o", str(other)]) == 0
        assert parse_document(other.read_text("utf-8")) == parse_document(BRACE, "door.orca")
        assert "give -o FILE" in capsys.readouterr().err

    def test_what_cannot_be_written(self, tmp_path, capsys):
        """A broken document is status 1, a missing one or wrong usage 2."""
        file = tmp_path / "broken.md"
        file.write_text("# machine M\n", "utf-8")

        assert main(["fmt", str(file)]) == 1
        assert main(["fmt", str(tmp_path / "none.md")]) == 2
        assert main(["fmt", str(file), str(file), "-o", str(file)]) == 2
        assert "NO_STATES" in capsys.readouterr().err
