"""Operators that LiteRT's GPU delegate computes otherwise than the CPU does, without an error.

Found by files of one operator each, run by LiteRT.js 2.5 on WebAssembly and on WebGPU. It keeps a tensor of fewer than
four axes in another order than a constant of as many axes, and some kernels take the batch for 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfflow.exporting.facts import Operator

ELEMENTWISE = ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "POW", "SQUARED_DIFFERENCE")
"""Operators of two tensors, number by number."""
SHUFFLES = ("DEPTH_TO_SPACE", "SPACE_TO_DEPTH")


def gpu_fault(operator: Operator) -> str | None:
    """Why a GPU gives other numbers for this operator; None where it gives the same."""
    if not operator.inputs or not operator.outputs:
        return None
    shape = operator.inputs[0][0]
    if operator.name == "PAD" and len(shape) < 4:
        return f"PAD of {len(shape)} axes, which GPUs compute otherwise: pad a tensor of four"
    if operator.name in SHUFFLES and shape[0] > 1:
        return f"{operator.name} of batch {shape[0]}, which GPUs compute otherwise: use tfflow.ops.shuffle"
    if operator.name not in ELEMENTWISE:
        return None
    axes = len(operator.outputs[0][0])
    for constant, kind in operator.constants:
        if math.prod(constant) == 1:
            continue
        if kind.startswith("int") and len(constant) < axes:
            return f"{operator.name} of {axes} axes with a whole-number constant of {len(constant)}: give it all axes"
        if not kind.startswith("int") and len(constant) == axes < 4 and constant[0] > 1:
            return f"{operator.name} with a constant {constant}, which GPUs compute otherwise: use four axes"
    return None
