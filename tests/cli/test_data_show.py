"""`genre data show --serve` as a process: it says where it is, answers there, and ends at Ctrl-C."""

import re
import signal
import urllib.request
from pathlib import Path

import pytest
from command_line import Genre, start_genre


def test_it_tells_its_address_answers_there_and_ends_at_ctrl_c(tmp_path: Path, small_folder: Path) -> None:
    with start_genre(tmp_path, "data", "show", "small", "--serve", "--port", "0") as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.fullmatch(r"small is shown at (http://127\.0\.0\.1:\d+/) \(Ctrl-C ends it\)\n", line)
            assert found is not None, line + process.communicate(timeout=60)[1]
            with urllib.request.urlopen(f"{found[1]}news?q=Paris", timeout=60) as response:
                assert b"A weekend in Paris" in response.read()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize("arguments", [[], ["--news", "N1", "--reader", "new"], ["--news", "N1", "--serve"]])
def test_one_thing_is_shown_at_a_time(genre: Genre, small_folder: Path, arguments: list[str]) -> None:
    outcome = genre("data", "show", "small", *arguments)
    assert outcome.code == 2
    assert "name one of --news, --reader and --serve" in outcome.err


def test_a_data_set_that_is_not_there_is_told(genre: Genre) -> None:
    outcome = genre("data", "show", "nowhere", "--serve")
    assert outcome.code == 2
    assert "nowhere: no data set here" in outcome.err
