"""The policy of an export: which measured numbers it must keep, by precision, to get the name of a finished file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A number of `validation.measured` and its limit: the greatest value, or with `at_least` the smallest.

    otherwise: another limit that is enough where this one is exceeded. NaN exceeds every limit.
    """

    number: str
    bound: float
    at_least: bool = False
    otherwise: Limit | None = None

    def kept(self, values: Mapping[str, float]) -> bool:
        value = values.get(self.number, float("nan"))
        good = value >= self.bound if self.at_least else value <= self.bound
        return good or (self.otherwise is not None and self.otherwise.kept(values))

    def __str__(self) -> str:
        text = f"{'at least' if self.at_least else 'at most'} {self.bound:g}"
        return f"{text}, or {self.otherwise.number} {self.otherwise}" if self.otherwise else text


RUNTIMES = Limit("runtimes_px", 1e-3)
"""Both runtimes of LiteRT, Interpreter and CompiledModel, give the same flow: an app may use either."""

INT8_SHARE = Limit("int8_share", 0.95, at_least=True)

LIMITS: dict[str, tuple[Limit, ...]] = {
    "fp32": (Limit("largest_px", 1e-2), RUNTIMES),
    "fp16": (Limit("drift_mean_px", 0.03), RUNTIMES),
    "int8-weights": (Limit("epe_change", 0.015), RUNTIMES),
    "int8-dynamic": (RUNTIMES,),
    "int8-ptq": (INT8_SHARE, RUNTIMES),
    # A rise of 0.05 px passes, whatever its share: steps of eight bits do not shrink with what a network errs by.
    # `spynet_mobile` errs by 0.886 px; 400 to 1,600 steps left 4.3 to 5.2 % more, which is 0.038 to 0.046 px.
    # Simulated and real eight bits round some numbers to neighbouring steps, and the network widens that to 0.05 or
    # 0.06 px; much more would be another arithmetic than the simulated one.
    # In a small file the description of the graph, which eight bits do not shorten, is a large part: there the bytes of
    # the weights alone count, by the same share of four bytes.
    "int8-qat": (
        Limit("epe_change", 0.04, otherwise=Limit("epe_rise_px", 0.05)),
        Limit("fake_quantized_mean_px", 0.1),
        Limit("size_to_fp32", 0.32, otherwise=Limit("bytes_a_weight", 4 * 0.32)),
        INT8_SHARE,
        RUNTIMES,
    ),
    "int16x8": (RUNTIMES,),
}
"""By precision. The file of an export that does not keep all of them is named `model.rejected.tflite`."""


def beyond_limits(precision: str, values: Mapping[str, float]) -> list[str]:
    """A line for each limit that is not kept, of those whose number was measured; empty where all are kept."""
    return [
        f"{limit.number} is {values[limit.number]:.4g}, must be {limit}"
        for limit in LIMITS[precision]
        if limit.number in values and not limit.kept(values)
    ]
