"""Write `src/textbatch/text/character_classes.py`: what each character does to a token.

`python -m tools.character_classes` reads Python's tables of Unicode. The result is frozen in the
code, because bundles rely on it: write it anew only together with another `RULES_VERSION`.
"""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from pathlib import Path

from textbatch.text.normalization import CJK_RANGES

TARGET = Path(__file__).parents[1] / "src" / "textbatch" / "text" / "character_classes.py"

#: `Default_Ignorable_Code_Point` of Unicode: nothing is to be seen of them. The zero-width space
#: is not among them: it stands where a line may be broken.
IGNORED = (
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180B, 0x180F), (0x200C, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8)),
    *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
ZERO_WIDTH_SPACE = 0x200B
#: Punctuation that stands inside words: `WordBreak=MidLetter` of UAX #29, Armenian marks on
#: vowels; and quotation marks that become apostrophes.
INSIDE_WORDS = {
    *(0xB7, 0x387, 0x5F3, 0x5F4, 0x2027, 0x55B, 0x55C, 0x55E),
    *(0x2018, 0x2019, 0x201B),
}
#: Blocks of scripts that are written without spaces and are no CJK: Thai, Lao, Myanmar, Khmer,
#: Tai Le, New Tai Lue, Tai Tham, Balinese, Yi, Javanese, Myanmar again and Tai Viet. Tibetan is
#: not here: a mark stands after each of its syllables.
UNSPACED = (
    *((0xE01, 0xE5B), (0xE81, 0xEDF), (0x1000, 0x109F), (0x1780, 0x17DD), (0x1950, 0x1974)),
    *((0x1980, 0x19DF), (0x1A20, 0x1AAD), (0x1B00, 0x1B4C), (0xA000, 0xA48C), (0xA980, 0xA9FE)),
    (0xAA60, 0xAADF),
)
#: Vowels of Thai and Lao that stand behind their consonant, and are letters to Unicode.
VOWELS_BEHIND = frozenset({0xE30, 0xE32, 0xE33, 0xE45, 0xEB0, 0xEB2, 0xEB3})
#: Where emoji are added: what is not given away there will be one.
EMOJI = (0x1F000, 0x1FAFF)
NAMES = ("IGNORED", "SEPARATORS", "ALONE", "PIECES", "MARKS")


def class_of(point: int) -> str:
    """The class of a character beyond ASCII; empty for one that words are made of.

    Args:
        point: Its code point.
    """
    one = chr(point)
    category = unicodedata.category(one)
    if _in(point, IGNORED):
        return "IGNORED"
    if point == ZERO_WIDTH_SPACE or one.isspace():
        return "SEPARATORS"
    is_mark = category[0] == "P" or category in ("Sc", "Sm", "Sk")
    if is_mark and point not in INSIDE_WORDS:
        return "SEPARATORS"
    if _in(point, CJK_RANGES) or category == "So":
        return "ALONE"
    if category == "Cn" and EMOJI[0] <= point <= EMOJI[1]:
        return "ALONE"
    if _in(point, UNSPACED):
        if category[0] == "M" or point in VOWELS_BEHIND:
            return "MARKS"
        return "PIECES" if category[0] == "L" else ""
    return ""


def main() -> None:
    """Write the file."""
    ranges: dict[str, list[list[int]]] = {name: [] for name in NAMES}
    for point in range(0x80, 0x110000):
        found = class_of(point)
        if not found:
            continue
        last = ranges[found][-1] if ranges[found] else [0, 0]
        if last[1] == point - 1:
            last[1] = point
        else:
            ranges[found].append([point, point])
    lines = [
        '"""What each character does to a token: classes of characters beyond ASCII, frozen.',
        "",
        f"Written by `python -m tools.character_classes`: Unicode {unicodedata.unidata_version}.",
        "Inclusive ranges of code points, in base 16.",
        '"""',
        "",
    ]
    for name in NAMES:
        words = [f"{a:x}" if a == b else f"{a:x}-{b:x}" for a, b in ranges[name]]
        lines += [f"{name} = (", *(f'    "{line} "' for line in _wrapped(words)), ")"]
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(TARGET)], check=True)


def _wrapped(words: list[str]) -> list[str]:
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 90:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _in(point: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= point <= high for low, high in ranges)


if __name__ == "__main__":
    main()
