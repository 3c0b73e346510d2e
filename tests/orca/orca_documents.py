"""Documents to test the reader with: some that hold whatever the language has, and a grammar that writes more."""

from __future__ import annotations

from hypothesis import strategies as st

names = st.sampled_from(["a", "b", "c1", "idle", "wait", "x_y", "in-progress", "été", "_odd", "length", "ctx", "_"])
plain_names = st.sampled_from(["a", "b", "c1", "idle", "wait", "x_y", "go", "stop", "timeout"])
mostly = st.one_of(plain_names, plain_names, plain_names, names)
values = st.sampled_from(["1", "0.5", "-3", '"x"', "'y'", "true", "null", "1e3", "active", "b", '"a\\"b"', "10_000"])
signs = st.sampled_from(["==", "==", "!=", "<", "<=", ">", ">=", "=", "is"])
blanks = st.sampled_from([" ", " ", " ", "", "  ", "\t"])


@st.composite
def comparisons(draw):
    root = draw(st.sampled_from(["ctx.", "ctx.", "context.", "event.", "payload.", "", "CTX."]))
    path = ".".join(draw(st.lists(mostly, min_size=1, max_size=3)))
    blank = draw(blanks)
    return f"{root}{path}{blank}{draw(signs)}{draw(blanks)}{draw(values)}"


@st.composite
def expressions(draw):
    """Write a guard expression, mostly one that all tools read alike."""
    parts = draw(st.lists(st.one_of(comparisons(), comparisons(), mostly, st.just("true")), min_size=1, max_size=3))
    joint = draw(st.sampled_from([" and ", " or ", " and ", "  or  ", " && ", " and not "]))
    text = joint.join(parts)
    return draw(st.sampled_from([text, text, f"({text})", f"not {text}", f"{text})"]))


@st.composite
def cells(draw, inner):
    """Write a cell, with or without something around it."""
    text = draw(inner)
    return draw(st.sampled_from([f" {text} "] * 8 + [f"  {text}", f" `{text}` ", f" **{text}** ", f"{text}", " ", "-"]))


def tables(header, *columns):
    """Write a table of a section, mostly in the usual form."""

    @st.composite
    def build(draw):
        rows = draw(st.lists(st.tuples(*(cells(column) for column in columns)), max_size=4))
        head = draw(st.sampled_from([header] * 6 + [header[::-1], header[:-1], [*header, "Note"]]))
        lines = [f"| {' | '.join(head)} |", draw(st.sampled_from(["|---|---|"] * 4 + ["|:-:|--", "| - | - |"]))]
        ends = st.sampled_from(["|", "|", "|", "|", "| ", "", "| x |", "||"])
        starts = st.sampled_from(["|"] * 9 + ["", "  |", "\t|"])
        lines += [f"{draw(starts)}{'|'.join(row)}{draw(ends)}" for row in rows]
        return lines

    return build()


refs = st.one_of(mostly, mostly, st.sampled_from(["p.r1", "*", "a, b", "zz", "a.b", "!a", "else"]))
signatures = st.sampled_from(
    ["(ctx) -> Context", "(ctx, event) -> Context", "(ctx) -> Context + Effect<Mail>", "", "ctx", "(ctx) => Context"]
)
types = st.sampled_from(["string", "int", "bool", "string?", "enum(a, b)", "map<string, int>", "list<", "qubit", ""])
sections = st.one_of(
    tables(["Field", "Type", "Default"], mostly, types, values).map(lambda rows: ["## context", "", *rows]),
    st.lists(mostly.map(lambda name: f"- {name}"), max_size=4).map(lambda rows: ["## events", "", *rows]),
    st.lists(st.sampled_from(["- a, b", "- a: text", "-  b", "* c", "", "> quote", "- a(b: int)"]), max_size=4).map(
        lambda rows: ["## events", *rows]
    ),
    tables(
        ["Source", "Event", "Guard", "Target", "Action"], refs, refs, st.one_of(refs, expressions()), refs, mostly
    ).map(lambda rows: ["## transitions", "", *rows]),
    tables(["Name", "Expression"], mostly, expressions()).map(lambda rows: ["## guards", "", *rows]),
    tables(["Name", "Signature"], mostly, signatures).map(lambda rows: ["## actions", "", *rows]),
    tables(["Name", "Signature", "Effect"], mostly, signatures, mostly).map(lambda rows: ["## actions", "", *rows]),
    tables(["Name", "Input", "Output"], mostly, st.just("{ a: int }"), st.just("x")).map(
        lambda rows: ["## effects", "", *rows]
    ),
    st.sampled_from([["## properties", "- live", "- reachable: a from b"], ["## nothing", "text"], ["---"], ["#tag"]]),
)
bullets = st.one_of(
    st.builds("- {}: {}".format, st.sampled_from(["on_entry", "on_exit", "On_Entry", "on_done"]), mostly),
    st.builds("- timeout: {} -> {}".format, st.sampled_from(["5s", "5", "500ms", "1h30m", "soon"]), refs),
    st.builds("- on {} -> {}".format, mostly, refs),
    st.builds("- ignore: {}".format, refs),
    st.builds("- invoke: {}".format, mostly),
    st.builds("> {}".format, st.sampled_from(["text", "on a -> b", ""])),
    st.sampled_from(["", "", "text", "on_entry: a", "- - -", "* on_exit: b", "- x | y", "<!-- c -->", "```"]),
)


@st.composite
def states(draw):
    """Write a state with what stands below it."""
    level = draw(st.sampled_from(["##", "##", "##", "##", "###", "###", "#"]))
    kind = draw(st.sampled_from(["state", "state", "state", "state", "state", "region", "State"]))
    mark = draw(st.sampled_from(["", "", "", " [initial]", " [final]", " [parallel]", ' "text"', " [Final]", " #"]))
    return [f"{level} {kind} {draw(mostly)}{mark}", *draw(st.lists(bullets, max_size=4)), ""]


@st.composite
def documents(draw):
    """Write a file with a machine or two, in more or less usual spelling."""
    lines = []
    for number in range(draw(st.integers(1, 2))):
        lines += ["---"] if number and draw(st.booleans()) else []
        lines += [f"# machine {draw(st.sampled_from(['M', 'N']))}", ""]
        for block in draw(st.lists(st.one_of(states(), sections), max_size=9)):
            lines += [*block, *draw(st.sampled_from([[], [""], ["", ""], ["  "]]))]
    return draw(st.sampled_from(["\n", "\n", "\n", "\r\n"])).join(lines)
