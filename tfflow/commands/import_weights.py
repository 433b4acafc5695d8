"""Converts weights that the authors of papers publish to a file of this package.

Reads SpyNet's Lua Torch files, PyTorch's files of PWC-Net, PWC-Lite and NVIDIA's FlowNet2, FlowNet2-C and FlowNet2-S,
and the TensorFlow 1 checkpoints of DDFlow and SelFlow, without Lua and without PyTorch. A file that asks for anything
but numbers and names is refused, and nothing of it runs.
"""

from __future__ import annotations

from pathlib import Path

from tfflow.commands.options import Parser
from tfflow.errors import InputError, command
from tfflow.limits import parse_json
from tfflow.models.importing import PUBLISHED, import_published
from tfflow.models.weights import model_arrays, save_arrays

SUFFIX = ".safetensors"


def parser() -> Parser:
    files = "files:\n" + "\n".join(f"  {name}: {known.files}" for name, known in PUBLISHED.items())
    p = Parser("tfflow import-weights", __doc__, files, plugins=False)
    p.add_argument("files", nargs="+", metavar="FILE", help="what the authors publish, see below")
    p.add_argument("--model", required=True, metavar="NAME", help=f"the network: {', '.join(PUBLISHED)}")
    p.add_argument("--out", type=Path, required=True, metavar=f"W{SUFFIX}", help="the file to write")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.out.suffix != SUFFIX:
        raise InputError(f"--out must be a name that ends in {SUFFIX}, got {str(args.out)!r}")
    if args.out.exists():
        raise InputError(f"{str(args.out)!r} exists already: choose another --out")
    model = import_published(args.model, args.files)
    save_arrays(args.out, model_arrays(model.one_way), model.metadata)
    print(f"{model.parameters:,} parameters of {model.name} written to {args.out}")
    print(f"licence: {model.metadata['licence']}")
    for note in parse_json(model.metadata["notes"]):
        print(f"note: {note}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
