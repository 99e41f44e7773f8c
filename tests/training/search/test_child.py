import pytest

from textrnn.training.search.child import train_child


@pytest.mark.process
def test_a_training_that_fails_says_so_in_its_log(tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    code = train_child(tmp_path / "none.yaml", tmp_path / "run", log=log, options=("--no-test",))
    assert code == 1
    lines = log.read_text().splitlines()
    assert lines[0] == "before"
    assert "none.yaml: expected a file of settings" in lines[-1]
