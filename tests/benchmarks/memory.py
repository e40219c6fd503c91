"""Memory of a whole monitor: the main process and everything below it, by the number of checks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from http_probe import server

HERE = Path(__file__).parent
MUST = {1_000: 80, 10_000: 150}


def main() -> int:
    print(f"{'checks at 60 s':>14} {'main MB':>9} {'must':>6} {'workers MB':>11}")
    for checks, must in MUST.items():
        with server(None) as (port, _):
            child = subprocess.run(
                [sys.executable, str(HERE / "whole_service.py"), f"http://127.0.0.1:{port}", str(checks), "20"],
                input="go\ndone\n", capture_output=True, text=True, check=True, env={**os.environ, "INTERVAL": "60"},
            )  # fmt: skip
        memory = json.loads(child.stdout.splitlines()[1])["memory"]
        print(f"{checks:14,} {memory['main'] / 1e6:9.0f} {must:6} {memory['workers'] / 1e6:11.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
