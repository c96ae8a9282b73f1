"""How much precision is lost: perplexity of Heron, of float32 and of llama.cpp on code, printed as JSON.

    python tests/bench/fidelity.py MODEL [--chunks 80] [--instruction-set auto] [--kv-cache auto]
                                   [--llama-perplexity PATH]

MODEL is a GGUF file or a folder of MLC-LLM's. The text is Python source of installed packages. As `llama-perplexity`
does, it is cut into chunks of 512 tokens, and the second half of each is scored: 255 tokens a chunk. float32 is
`reference.py` on the dequantised weights; the argmax agreement and the divergence (in nats, of Heron from float32) are
over the same tokens.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heron.host.compiler.artefact import ensure_artefact
from heron.host.compiler.reference import finish_logits, output_parts, reference_hidden
from heron.host.engine.mlc_tokenizer import tokenizer_of
from heron.host.engine.runner import Batch, Runner
from heron.host.engine.tvm_engine import load_runner
from heron.host.models.gguf import GgufFile
from heron.host.models.open import open_model
from heron.settings import EngineSettings, InstructionSet, KvCache

PACKAGES = ("fastapi", "httpx", "jinja2", "uvicorn", "pygls", "huggingface-hub")
CHUNK = 512
FIRST_SCORED = CHUNK // 2
GROUP = 16  # chunks that share one pass over the float32 weights

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]


@dataclass
class Score:
    """Sums over scored tokens."""

    tokens: int = 0
    ours_nll: float = 0.0
    float32_nll: float = 0.0
    divergence: float = 0.0
    agreed: int = 0

    def add(self, ours: Float32, reference: Float32, targets: Int32) -> None:
        ours_log, reference_log = _log_softmax(ours), _log_softmax(reference)
        rows = np.arange(len(targets))
        self.tokens += len(targets)
        self.ours_nll -= float(ours_log[rows, targets].sum(dtype=np.float64))
        self.float32_nll -= float(reference_log[rows, targets].sum(dtype=np.float64))
        self.divergence += float((np.exp(reference_log) * (reference_log - ours_log)).sum(dtype=np.float64))
        self.agreed += int((ours.argmax(-1) == reference.argmax(-1)).sum())


def main() -> None:
    options = _parse_arguments()
    file = open_model(options.model)
    text, chunks = _make_chunks(file, options.chunks)
    settings = EngineSettings(instruction_set=options.instruction_set, kv_cache=options.kv_cache)
    runner = load_runner(ensure_artefact(options.model, settings, lambda progress: None), settings)
    score = _score(file, runner, chunks)
    ours, exact = (float(np.exp(nll / score.tokens)) for nll in (score.ours_nll, score.float32_nll))
    result = {
        "model": options.model.stem,
        "instruction_set": options.instruction_set,
        "kv_cache": options.kv_cache,
        "tokens_scored": score.tokens,
        "perplexity": {"heron": round(ours, 4), "float32": round(exact, 4)},
        "heron_over_float32_percent": round((ours / exact - 1) * 100, 3),
        "argmax_agreement_percent": round(score.agreed / score.tokens * 100, 2),
        "mean_divergence": round(score.divergence / score.tokens, 6),
    }
    if options.llama_perplexity:
        theirs = _run_llama(options.llama_perplexity, options.model, text, options.chunks)
        result["perplexity"]["llama.cpp"] = theirs
        result["llama_over_float32_percent"] = round((theirs / exact - 1) * 100, 3)
    print(json.dumps(result, indent=1))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--chunks", type=int, default=80)
    parser.add_argument("--instruction-set", default="auto", choices=InstructionSet.__args__)
    parser.add_argument("--kv-cache", default="auto", choices=KvCache.__args__)
    parser.add_argument("--llama-perplexity", type=Path)
    return parser.parse_args()


def _make_chunks(file: GgufFile, count: int) -> tuple[str, Int32]:
    """The text, and its tokens int32 [count, CHUNK]; each chunk begins with the model's BOS token if it uses one."""
    tokenizer = tokenizer_of(file)
    pieces, ids = [], []
    for source in _sources():
        pieces.append(source)
        ids += tokenizer.encode(source)
        if len(ids) > (count + 1) * CHUNK:
            break
    text = "".join(pieces)
    ids = tokenizer.encode(text)
    chunks = np.array(ids[: count * CHUNK], np.int32).reshape(count, CHUNK)
    if file.metadata.get("tokenizer.ggml.add_bos_token", False):
        chunks[:, 0] = file.metadata["tokenizer.ggml.bos_token_id"]
    return text, chunks


def _sources() -> Iterator[str]:
    for package in PACKAGES:
        for path in sorted(files(package) or (), key=str):
            if path.suffix == ".py":
                yield Path(str(path.locate())).read_text(encoding="utf-8")


def _score(file: GgufFile, runner: Runner, chunks: Int32) -> Score:
    score, started = Score(), time.monotonic()
    head = np.concatenate(list(output_parts(file)))
    for first in range(0, len(chunks), GROUP):
        group = chunks[first : first + GROUP]
        hidden = reference_hidden(file, group)
        for chunk, states in zip(group, hidden, strict=True):
            reference = finish_logits(file, states[FIRST_SCORED:-1] @ head.T)
            score.add(_run_ours(runner, chunk), reference, chunk[FIRST_SCORED + 1 :])
        print(f"{score.tokens} tokens, {time.monotonic() - started:.0f} s", file=sys.stderr)
    return score


def _run_ours(runner: Runner, chunk: Int32) -> Float32:
    positions = np.arange(CHUNK, dtype=np.int32)
    pages = np.arange(CHUNK // runner.page_size, dtype=np.int32)[None]
    rows = np.arange(FIRST_SCORED, CHUNK - 1, dtype=np.int32)
    return runner.run(Batch(chunk, positions, positions, np.array([0, CHUNK], np.int32), pages, rows))


def _log_softmax(logits: Float32) -> Float32:
    shifted = logits - logits.max(-1, keepdims=True)
    result: Float32 = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True, dtype=np.float64)).astype(np.float32)
    return result


def _run_llama(program: Path, model: Path, text: str, chunks: int) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        command = [program, "-m", model, "-f", file.name, "-c", CHUNK, "-b", CHUNK, "--chunks", chunks, "-t", 2]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    found = re.search(r"Final estimate: PPL = ([\d.]+)", done.stdout + done.stderr)
    if found is None:
        raise SystemExit(f"llama-perplexity gave no estimate:\n{done.stderr[-2000:]}")
    return float(found[1])


if __name__ == "__main__":
    main()
