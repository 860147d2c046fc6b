"""`atlas` and `power`: show what backends do on special inputs, and what the checks detect."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.commands.findings import look_into_atlas, written
from harness.commands.options import Names, Out, Pythons, app, interpreters, show, split


@app.command()
def atlas(
    backend: Names = None,
    out: Out = Path("out/atlas"),
    python: Pythons = None,
) -> None:
    """Compare results for special inputs with the specification.

    Special inputs are NaN, infinities, masks, and unusual shapes, dtypes and labels.
    """
    from backends import NAMES
    from harness import specials
    from harness.runs import plan, store
    from harness.truth import check_preconditions
    from reports.pages import specials as page

    patterns = split("backend", backend)
    backends = plan.matching("backend", patterns, NAMES) if patterns else specials.by_default()
    named_interpreters = interpreters(python, backends)
    store.writable(out)
    check_preconditions()
    made = specials.survey(backends, named_interpreters, say=lambda line: print(line, file=sys.stderr))
    for framework, reason in made.missing.items():
        print(f"{framework}: {reason}", file=sys.stderr)
    store.write(out, "atlas.csv", store.csv(store.frame(made.entries, specials.Entry)).encode())
    found = look_into_atlas(made, out, named_interpreters)
    store.write(out, "atlas.md", page.render(made.entries, found).encode())
    show(page.brief(made.entries, found))
    print(f"written to {out}: atlas.md, atlas.csv, {written(found)}", file=sys.stderr)
    raise typer.Exit(made.exit_code(plan.named(patterns)))


@app.command()
def power(
    mutant: Annotated[str, typer.Option(help="Name or pattern of the mutants to test.")] = "*",
    out: Out = Path("out/power"),
    peers: Annotated[
        bool, typer.Option(help="Also test the mutants with the checkers of NumPy, PyTorch and JAX.")
    ] = True,
    whole: Annotated[
        bool, typer.Option(help="Run the correct implementations on every suite in full, which takes half an hour.")
    ] = False,
) -> None:
    """Measure which planted bugs (mutants) the checks detect.

    Also measure how often the checks flag correct results, and what other checkers detect.
    """
    from harness.commands.progress import Progress
    from harness.power import measuring, tables
    from harness.runs import store
    from harness.truth import check_preconditions
    from reports.pages import power as page

    store.writable(out)
    check_preconditions()
    found = measuring.measured(mutant, Progress, lambda line: print(line, file=sys.stderr), peers, whole)
    for name, rows in page.FILES.items():
        store.write(out, name, store.csv(rows(found)).encode())
    store.write(out, "power.md", page.render(found).encode())
    show(page.brief(found))
    print(f"written to {out}: power.md, {', '.join(page.FILES)}", file=sys.stderr)
    raise typer.Exit(tables.exit_code(found))
