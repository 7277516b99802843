from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pictures import write_pairs

TRIALS = 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork, which this platform lacks")
def test_killed_and_resumed_runs_end_like_an_uninterrupted_one(tmp_path: Path, home: Path) -> None:
    write_pairs(tmp_path, [f"image{index}" for index in range(6)], size=96)
    script = Path(__file__).with_name("kill_and_resume.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(TRIALS)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    whole, *trials = json.loads(done.stdout)
    assert len(whole["pngs"]) == 60
    assert whole["pngs"] == whole["recorded"]
    assert len(trials) == TRIALS
    for trial in trials:
        assert trial["code"] == 0
        assert trial["scores"] == whole["scores"]
        assert trial["pngs"] == whole["pngs"]
        assert trial["recorded"] == whole["recorded"]
        assert trial["sessions_known"]
        # Nothing that was recorded before the kill was lost or computed again, including times and sessions.
        assert trial["at_kill"].items() <= trial["rows"].items()
    # The kills are spread over the whole run: not all of them came before its start or after its end.
    assert sum(trial["killed"] for trial in trials) > TRIALS // 2
    assert len({len(trial["at_kill"]) for trial in trials}) > 3
