"""`python -m mlc_llm compile MODEL --device KIND --output LIBRARY`: a library that only says what it is for.

It fails as the real one may, without an exit status to tell, for a model whose type is `broken`.
"""

import argparse
import json
import sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("command", choices=["compile"])
parser.add_argument("model", type=Path)
for name in ("--device", "--output", "--opt", "--overrides"):
    parser.add_argument(name, default="")
options = parser.parse_args()
config = json.loads((options.model / "mlc-chat-config.json").read_text())
if config["model_type"] == "broken":
    sys.stderr.write("ValueError: the pass FuseOps met an unknown operator\n")
    sys.exit(0)
records = json.loads((options.model / "tensor-cache.json").read_text())["records"]
params = [{"name": item["name"], "shape": item["shape"], "dtype": item["dtype"]} for shard in records
          for item in shard["records"]]  # fmt: skip
metadata = {"model_type": config["model_type"], "quantization": config["quantization"], "params": params,
            "memory_usage": {"prefill": 1000, "decode": 500}, "overrides": options.overrides,
            "device": options.device}  # fmt: skip
Path(options.output).write_text(json.dumps(metadata))
