"""Whether NVIDIA cards can be used here, from the driver up to TVM; stops at the first thing that is missing."""

from dataclasses import replace

from heron.host.compiler.gpu.cards import Survey, list_cards
from heron.host.compiler.gpu.cuda_device import has_cuda_device
from heron.host.compiler.gpu.cuda_toolkit import REMEDY, find_problem


def survey_cards() -> Survey:
    """The cards, and what keeps them from being used. TVM is loaded only where all else is there."""
    found = list_cards()
    if not found.cards:
        return found
    if problem := find_problem():
        return replace(found, problem=problem, remedy=REMEDY)
    if not has_cuda_device():
        return replace(found, problem="TVM does not see the card", remedy="Install apache-tvm again, and CUDA 13.")
    return found
