"""Runs `hostwright` in this process; the last line of stderr is its peak of memory in KiB and its processor time in seconds."""

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
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_maxrss, used.ru_utime + used.ru_stime, file=sys.stderr)
    raise SystemExit(status)
