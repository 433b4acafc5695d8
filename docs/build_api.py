"""`python docs/build_api.py [--out DIR]`: the API documentation, from the docstrings, by pdoc.

Needs `pip install -e '.[docs]'`. Whatever pdoc warns about ends it: a name in `__all__` that is not there, say.
"""

from __future__ import annotations

import argparse
import importlib
import warnings
from pathlib import Path

import pdoc

from tfflow.errors import command

MODULES = (
    "tfflow",
    "tfflow.ops",
    "tfflow.layers",
    "tfflow.models",
    "tfflow.losses",
    "tfflow.recipes",
    "tfflow.augmentation",
    "tfflow.data.scenes",
)
"""What is meant to be used from outside, each with an `__all__`."""


@command
def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(prog="python docs/build_api.py", description=__doc__)
    default = Path("build/api")
    p.add_argument("--out", type=Path, default=default, metavar="DIR", help="(default: %(default)s)")
    args = p.parse_args(argv)
    for name in MODULES:  # first, so that warnings of other packages are no errors
        module = importlib.import_module(name)
        for function in module.__all__:  # those of `tfflow` are imported when they are asked for
            setattr(module, function, getattr(module, function))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pdoc.render.configure(docformat="markdown")
        pdoc.pdoc(*MODULES, output_directory=args.out)
    print(f"{len(MODULES)} modules: {args.out / 'index.html'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
