from textrnn.host.packages import installed_version


def test_installed_distributions_have_a_version_and_others_have_none():
    assert installed_version("numpy") is not None
    assert installed_version("no-such-distribution") is None
