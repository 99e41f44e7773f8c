import pytest

from textrnn.host import cpu


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 amx_bf16 amx_tile\n\nflags : fpu", True),
        ("processor : 0\nflags\t\t: fpu avx512_bf16 amx_bf16x\n", False),
        ("processor : 0\nFeatures : neon bf16\n", False),
    ],
)
def test_the_first_core_s_instructions_decide(monkeypatch, tmp_path, content, expected):
    path = tmp_path / "cpuinfo"
    path.write_text(content, encoding="utf-8")
    monkeypatch.setattr(cpu, "CPU_INFO", path)
    assert cpu.multiplies_bfloat16() is expected


def test_without_the_file_nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.setattr(cpu, "CPU_INFO", tmp_path / "missing")
    assert not cpu.multiplies_bfloat16()
