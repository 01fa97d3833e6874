"""Runs `hostwright` in this process and prints on the last line of stderr how much memory it took at its peak, in KiB."""

from __future__ import annotations

import resource
import sys

from host.cli import main

if __name__ == "__main__":
    status = 0
    try:
        main(sys.argv[1:], standalone_mode=False)
    except SystemExit as ended:
        status = int(ended.code or 0)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
    raise SystemExit(status)
