"""Subtitles as they are found: who speaks, where a number belongs, and what stays where it is."""

import pytest

from taskkit.source import Text
from taskkit.tasks.translate.formats import Options, opened


def cues(*said: str, number: bool = True, gap: str = "") -> str:
    made: list[str] = []
    for n, text in enumerate(said, 1):
        head = f"{n}\n" if number else ""
        made.append(f"{head}{gap}00:00:{n:02},000 --> 00:00:{n:02},900\n{text}\n")
    return "\n".join(made)


@pytest.mark.parametrize(
    ("cue", "texts", "targets", "made"),
    [
        ("{\\an8}- Who is it?\n- It's me.", ["Who is it?", "It's me."], ["Wer?", "Ich."], "{\\an8}- Wer?\n- Ich."),
        ("Who is it?\n- It's me.", ["Who is it?", "It's me."], ["Wer?", "Ich."], "Wer?\n- Ich."),
        ("<i>- Who is it?\n- It's me.</i>", ["Who is it?", "It's me.</i>"], ["Wer?", "Ich.</i>"], "<i>- Wer?\n- Ich.</i>"),
        ("- Who is\nit then?\n- Me.", ["Who is\nit then?", "Me."], ["Wer ist da?", "Ich."], "- Wer ist da?\n- Ich."),
        ("I was there\n– and then not.", ["I was there\n– and then not."], ["Erst da\n– dann nicht."], "Erst da\n– dann nicht."),
        ("The first part.\n\nThe other part.", ["The first part.", "The other part."], ["Eins.", "Zwei."], "Eins.\n\nZwei."),
    ],
)  # fmt: skip
def test_each_speaker_and_each_paragraph_is_a_text_of_its_own(
    cue: str, texts: list[str], targets: list[str], made: str
) -> None:
    text = cues(cue, "An end.")
    source = opened(Text(text, "a.srt"), options=Options("de"))
    found = source.segments[:-1]
    assert [one.text for one in found] == texts
    written = source.written(dict(zip(found, targets, strict=True)))
    assert not written.kept
    assert written.text == text.replace(cue, made)


def test_two_speakers_share_the_lines_and_the_time_of_a_cue() -> None:
    text = cues("- Who is there at the old door?\n- It's only me.", "Alone here.")
    found = [each.limit for each in opened(Text(text, "a.srt"), options=Options("de")).segments]
    one, other, alone = filter(None, found)
    assert (one.lines, other.lines, alone.lines) == (1, 1, 2)
    assert one.seconds + other.seconds == pytest.approx(0.9)
    assert one.seconds > 2 * other.seconds
    assert alone.seconds == 0.9


@pytest.mark.parametrize("gap", ["", "\n", " \n\n"])
def test_a_number_is_never_read_as_text_though_blank_lines_follow_it(gap: str) -> None:
    text = cues("The first.", "The second.", gap=gap)
    source = opened(Text(text, "a.srt"), options=Options("de"))
    assert [one.text for one in source.segments] == ["The first.", "The second."]
    written = source.written(dict(zip(source.segments, ["Der erste.", "Der zweite."], strict=True)))
    assert written.text == text.replace("The first", "Der erste").replace("The second", "Der zweite")


def test_without_numbers_or_words_every_cue_stays_in_its_place() -> None:
    text = cues("The first.", "", "{\\an8}", "The last.", number=False)
    source = opened(Text(text, "a.srt"), options=Options("de"))
    assert [one.text for one in source.segments] == ["The first.", "The last."]
    assert source.written({source.segments[1]: "Das letzte."}).text == text.replace("The last", "Das letzte")
