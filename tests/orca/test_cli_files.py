"""What people give to the command line instead of documents, and where its results go."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from test_load import PAYMENT

from orca_bridge.cli import _files, main

UNTIDY = PAYMENT.replace("| ", "|  ")
VERBS = [["check"], ["show"], ["parse"], ["fmt", "--check"], ["export", "mermaid"], ["actions"], ["describe"]]


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "payment.md").write_text(PAYMENT)
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "empty.md").write_bytes(b"")
    (tmp_path / "binary.md").write_bytes(bytes(range(256)))
    (tmp_path / "huge.md").write_bytes(b"# machine M\n" + b"x" * (4 * 2**20))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    return tmp_path


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
class TestInputs:
    @pytest.mark.parametrize(
        ("file", "status", "part"),
        [
            ("folder.md", 2, "folder.md: it is a directory; give a file in it"),
            ("picture.png", 2, "a document is called *.md"),
            ("nobody.md", 2, "there is no such file"),
            ("empty.md", 1, "NO_DEFINITION"),
            ("binary.md", 1, "INVALID_ENCODING"),
            ("huge.md", 1, "INPUT_TOO_LARGE"),
        ],
    )
    def test_what_is_no_document(self, capsys, verb, file, status, part):
        """Whatever is given for a document, the reason is told in a few lines."""
        assert main([*verb, file]) == status
        out, err = capsys.readouterr()
        assert part in out + err
        assert len((out + err).splitlines()) < 10

    @pytest.mark.parametrize("change", [lambda text: text.replace("\n", "\r\n"), lambda text: "\ufeff" + text])
    def test_other_systems(self, capsys, verb, change):
        """Line ends and marks of other systems make no difference, but to what `fmt` would write."""
        Path("other.md").write_text(change(PAYMENT), newline="")

        assert main([*verb, "other.md"]) == int(verb[0] == "fmt")
        out, _ = capsys.readouterr()
        assert main([*verb, "payment.md"]) in (0, 1)
        assert capsys.readouterr().out.replace("payment.md", "other.md") == out


class TestOutputs:
    def test_the_file_keeps_its_mode(self, files):
        """A file that is written over keeps its permissions."""
        Path("payment.md").write_text(UNTIDY)
        Path("payment.md").chmod(0o640)

        assert main(["fmt", "payment.md"]) == 0
        assert stat.S_IMODE(Path("payment.md").stat().st_mode) == 0o640
        assert sorted(one.name for one in files.iterdir() if "tmp" in one.name) == []

    def test_a_new_file_is_like_any_other(self):
        """A new file has the permissions that new files have."""
        Path("mine").touch()
        assert main(["export", "mermaid", "payment.md", "-o", "new.mmd"]) == 0
        assert Path("new.mmd").stat().st_mode == Path("mine").stat().st_mode

    def test_links_are_followed(self):
        """Behind a link stands the file that is written."""
        Path("payment.md").write_text(UNTIDY)
        Path("link.md").symlink_to("payment.md")

        assert main(["fmt", "link.md"]) == 0
        assert Path("link.md").is_symlink()
        assert Path("payment.md").read_text() != UNTIDY

    def test_nothing_is_half_written(self, monkeypatch, capsys, files):
        """A file that cannot be written whole stays as it was."""
        Path("payment.md").write_text(UNTIDY)

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(_files.Path, "replace", full)

        assert main(["fmt", "payment.md"]) == 2
        assert "payment.md cannot be written: No space left on device" in capsys.readouterr().err
        assert Path("payment.md").read_text() == UNTIDY
        assert len(list(files.iterdir())) == 6

    def test_devices_are_written_to(self, capfd):
        """What is no file is written to, and not replaced."""
        if not os.access("/dev/stdout", os.W_OK):
            pytest.skip("the system has no such device")
        assert main(["export", "mermaid", "payment.md", "-o", "/dev/stdout"]) == 0
        assert capfd.readouterr().out.startswith("stateDiagram-v2\n")

    @pytest.mark.parametrize(
        "verb", [["fmt"], ["export", "mermaid"], ["actions"], ["convert", "door.orca"]], ids=" ".join
    )
    @pytest.mark.parametrize("output", ["folder.md", "nowhere/x.md"])
    def test_what_cannot_be_written(self, capsys, verb, output):
        """An output that cannot be written is named, and the status is 2."""
        Path("door.orca").write_text("machine Door\nstate shut [initial] {}\n")
        given = [] if verb[0] == "convert" else ["payment.md"]

        assert main([*verb, *given, "-o", output]) == 2
        assert f"{output} " in capsys.readouterr().err
        assert Path("folder.md").is_dir()

    def test_the_others_are_formatted(self, capsys):
        """A file that cannot be formatted does not keep the others from it."""
        Path("payment.md").write_text(UNTIDY)

        assert main(["fmt", "empty.md", "nobody.md", "payment.md"]) == 2
        assert "NO_DEFINITION" in capsys.readouterr().err
        assert Path("payment.md").read_text() != UNTIDY
