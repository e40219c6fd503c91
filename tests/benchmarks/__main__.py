"""Runs the benchmarks: ``python -m tests.benchmarks [--only NAME …]``. Each compares with a peer in the same run."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

BENCHMARKS = ("http_probe", "scheduling", "storage", "exposition", "browser_journey", "memory", "whole_run", "rules")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS, metavar="NAME")
    chosen = parser.parse_args().only
    failed = []
    for name in chosen:
        print(f"\n== {name}", flush=True)
        script = Path(__file__).parent / f"{name}.py"
        # A process each: what one leaves in memory must not slow the next.
        if subprocess.run([sys.executable, str(script)], check=False).returncode != 0:
            failed.append(name)
    if failed:
        print("\nfailed: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
