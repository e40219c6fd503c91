"""Lets ``python -m monitor.cli`` stand for the command ``faultline``."""

from __future__ import annotations

from monitor.cli import main

if __name__ == "__main__":
    main()
