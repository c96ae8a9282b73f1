"""Whether this machine's GPU can be used by Metal; stops at the first thing that is missing."""

import platform
import shutil
from dataclasses import dataclass

_LINKERS = ("cc", "clang")
_TOOLS = "Install Apple's command line tools: xcode-select --install"


@dataclass(frozen=True, slots=True)
class MetalSurvey:
    """`problem` is empty where the GPU can be used, else it says why not and `remedy` what to do."""

    problem: str = ""
    remedy: str = ""


def survey_metal() -> MetalSurvey:
    """What keeps Metal from being used here, if anything. TVM is loaded only where all else is there."""
    if (system := platform.system()) != "Darwin":
        return MetalSurvey(f"only Apple's systems have Metal; this is {system}", "Use auto or cpu.")
    if platform.machine() != "arm64":
        return MetalSurvey("Heron uses GPUs of Apple silicon only", "Use auto or cpu.")
    if not any(map(shutil.which, _LINKERS)):
        return MetalSurvey("no C compiler was found to link the kernels with", _TOOLS)

    from heron.host.compiler.gpu.metal_device import REMEDY, has_metal_device

    return MetalSurvey() if has_metal_device() else MetalSurvey("TVM sees no GPU by Metal", REMEDY)
