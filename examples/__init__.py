"""Programs that show the library at work; each is a package, run with `python -m examples.NAME`."""
