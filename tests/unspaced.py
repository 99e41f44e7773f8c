"""Short texts in scripts of several kinds, which the tests share.

The words of each are joined as the script has it: Arabic with spaces, the others without.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

WORDS: dict[str, tuple[str, Sequence[str], Sequence[str], Sequence[str]]] = {
    "chinese": (
        "",
        ("房间", "我们", "早餐", "服务员", "这本书", "，", "电脑", "今天", "北京", "交通"),
        ("很好", "满意", "喜欢"),
        ("很差", "失望", "讨厌"),
    ),
    "japanese": (
        "",
        ("ホテル", "の", "部屋", "は", "朝ごはん", "が", "コンピューター", "、", "本", "です"),
        ("きれい", "おいしい", "楽しい"),
        ("汚い", "まずい", "つまらない"),
    ),
    "thai": (
        "",
        ("ห้อง", "โรงแรม", "อาหาร", "เช้า", "นี้", "พนักงาน", "หนังสือ", "ที่", "เรา", "คอมพิวเตอร์"),
        ("ดีมาก", "ชอบ", "อร่อย"),
        ("แย่มาก", "เกลียด", "สกปรก"),
    ),
    "arabic": (
        " ",
        ("الغرفة", "الفندق", "كان", "في", "الكتاب", "الطعام", "هذا", "الفطور", "نحن", "الحاسوب"),
        ("رائع", "جميل", "لذيذ"),
        ("سيئ", "قذر", "ممل"),
    ),
    "mixed": (
        "",
        ("我喜欢", " iPhone", "手机", " and ", "ホテル", "โรงแรม", " the ", "3年", "، ", "WiFi"),
        ("很好", " great ", "きれい"),
        ("很差", " awful ", "汚い"),
    ),
}


def labelled(script: str, count: int = 60) -> list[tuple[str, str]]:
    """Texts with their labels, half of them of each."""
    join, common, good, bad = WORDS[script]
    rng = random.Random(0)
    rows = []
    for i in range(count):
        words = rng.choices(common, k=rng.randint(4, 9))
        words.insert(rng.randint(0, len(words)), rng.choice(bad if i % 2 else good))
        rows.append((join.join(words), ("pos", "neg")[i % 2]))
    return rows


def texts(script: str, count: int = 60) -> list[str]:
    return [text for text, _ in labelled(script, count)]


def many_characters(count: int = 600, length: int = 100, *, rare: float = 0.05) -> list[str]:
    """Texts of 300 frequent Han characters and, for a share of them, of 20,000 rare ones."""
    rng = random.Random(1)

    def letter() -> str:
        return chr(0x4E00 + rng.randrange(20_000 if rng.random() < rare else 300))

    return ["".join(letter() for _ in range(length)) for _ in range(count)]
