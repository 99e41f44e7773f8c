from textrnn.progress import Silent


def test_a_silent_reporter_says_nothing(capsys):
    reporter = Silent()
    reporter.message("hello")
    reporter.epoch({"epoch": 1})
    with reporter.step("step", total=2) as advance, reporter.wait("wait"):
        advance(1)
        advance(1, "text")
    assert capsys.readouterr() == ("", "")
