from pathlib import Path

import pytest

from tests.end_to_end.driven import Sweeps


@pytest.fixture
def sweeps(tmp_path: Path) -> Sweeps:
    return Sweeps(tmp_path)
