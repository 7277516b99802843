"""`python -m ccsr_bench` is `ccsr-bench`."""

from __future__ import annotations

import sys

from ccsr_bench.cli import main

sys.exit(main())
