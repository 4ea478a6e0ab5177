"""The command line for one trained network: `python -m contrastive evaluate|export|download`."""

import argparse
import dataclasses
import json
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contrastive import command
from contrastive.caches import cache_folder
from contrastive.evaluate.protocols import PROTOCOLS

EVALUATE = """\
Measures what the encoder of CHECKPOINT (a run's checkpoint.pt, or an export) is worth.

protocols (--protocol NAME, or NAME:PRESET for a published recipe):
{protocols}

examples:
  python -m contrastive evaluate checkpoint.pt
  python -m contrastive evaluate checkpoint.pt --protocol linear:moco --split test
  python -m contrastive evaluate checkpoint.pt --protocol finetune:1pct finetune:10pct --set draws=5
  python -m contrastive evaluate checkpoint.pt --protocol linear knn --set knn.neighbours=[1,20,200] --json
  python -m contrastive evaluate checkpoint.pt --protocol linear --data fashion_mnist:PATH   # transfer

Encoders are frozen but for finetune, classifiers learn on the labelled training images, the last epoch is reported,
and the images of --split are only read: what is chosen, choose by "validation".
Accuracies are percentages. Exit codes: 0 done, 2 refused.
"""
EXPORT = """\
Writes the trained network (encoder and heads) as safetensors, its configuration in the metadata. Read it back with

  from contrastive import load_encoder
  encoder = load_encoder("OUT.safetensors")
  features = encoder(images)   # (N, 3, H, W), bytes or numbers from 0 to 1: standardised as in pretraining
  encoder.module, encoder.config, encoder.normalisation
"""


def parser(program: str = "python -m contrastive") -> argparse.ArgumentParser:
    """Return the parser of the three commands with all their flags."""
    top = argparse.ArgumentParser(prog=program, description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    raw = argparse.RawDescriptionHelpFormatter
    about = EVALUATE.format(protocols="\n".join(map(_described, PROTOCOLS)))
    e = commands.add_parser("evaluate", help="measure an encoder", description=about, formatter_class=raw)
    e.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    e.add_argument("--protocol", nargs="+", metavar="NAME[:PRESET]", help="one or more (linear knn)")
    e.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="[NAME.]FIELD=VALUE",
        help="a field of all, or of NAME's",
    )
    e.add_argument("--split", default="validation", metavar="NAME", help="validation (default) or test")
    e.add_argument(
        "--data", metavar="DATA", help="transfer: learn and be judged on another set, such as shapes"
    )
    e.add_argument("--root", metavar="PATH", help="where the images of the run's own set lie now")
    e.add_argument("--cache", type=Path, default=cache_folder(), help="prepared images (%(default)s)")
    e.add_argument("--device", default="cpu", help="where to compute, such as cuda (%(default)s)")
    e.add_argument("--json", action="store_true", help="one JSON object on standard output")
    x = commands.add_parser("export", help="write weights", description=EXPORT, formatter_class=raw)
    x.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    x.add_argument("out", type=Path, metavar="OUT.safetensors")
    d = commands.add_parser("download", help="fetch a data set", description="Fetches a public data set.")
    d.add_argument(
        "name", metavar="NAME", help="such as cifar10; an unknown name is answered with all of them"
    )
    d.add_argument("--root", type=Path, required=True, metavar="PATH", help="the folder to put it in")
    return top


def main(arguments: Sequence[str] | None = None, program: str = "python -m contrastive") -> int:
    """Run the command line; return its exit code."""
    given = parser(program).parse_args(arguments)
    run = {"evaluate": command.evaluate, "export": command.export, "download": command.download}
    try:
        run[given.command](given)
    except (ValueError, OSError) as refusal:
        print(f"{program.removeprefix('python -m ')}: {refusal}", file=sys.stderr)
        return 2
    return 0


def _described(protocol: type[Any]) -> str:
    """A protocol's name, first sentence, fields with defaults and presets with sources."""
    indent = 13 * " "
    values = {
        f.name: f.default for f in dataclasses.fields(protocol) if f.name not in ("name", "data", "view")
    }
    lines = [
        str(protocol.__doc__).split("\n", 1)[0],
        "fields: " + ", ".join(f"{name}={json.dumps(value)}" for name, value in values.items()),
        *(f"{protocol.name}:{name}: {preset.source}" for name, preset in protocol.presets.items()),
    ]
    wrapped = [
        textwrap.wrap(line, 106, initial_indent=indent, subsequent_indent=indent + "  ") for line in lines
    ]
    return f"  {protocol.name:<11}" + "\n".join(line for part in wrapped for line in part).lstrip()


if __name__ == "__main__":
    sys.exit(main())
