"""Write the dashboards."""

from __future__ import annotations

import sys

from grafana.src.writing import write

if __name__ == "__main__":
    for path in write():
        sys.stdout.write(f"{path}\n")
