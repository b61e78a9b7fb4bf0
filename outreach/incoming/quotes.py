"""The new words of an answer, without what it quotes. Where that is not clear, all of it is kept."""

from __future__ import annotations

import re

# "On Fri, 20 Nov 2026 at 10:00, Sam <sam@example.com> wrote:", in the languages of mail programs.
WROTE = re.compile(
    r"\s{0,3}(?:"
    r"On\b.{6,}\bwrote:|Am\b.{6,}\bschrieb\b.{0,200}:|Le\b.{6,}\ba écrit\s?:|El\b.{6,}\bescribió:"
    r"|Il\b.{6,}\bha scritto:|Op\b.{6,}\bschreef\b.{0,200}:|Em\b.{6,}\bescreveu:"
    r"|\d{4}年\d{1,2}月\d{1,2}日.{0,200}(?:[:：]|のメール[:：]?|書きました[:：]?|wrote:)"
    r"|\d{4}/\d{1,2}/\d{1,2}.{0,60}<\S+@\S+>(?:のメール)?[:：]"
    r")\s*"
)
ORIGINALS = (
    "Original Message|Original Appointment|Forwarded message",
    "Ursprüngliche Nachricht|Originalnachricht",
    "Message d['’]origine|Message original|Mensaje original|元のメッセージ",
)
ORIGINAL = re.compile(rf"\s*-{{3,}}\s?(?:{'|'.join(ORIGINALS)})\s?-{{3,}}\s*", re.IGNORECASE)
FROM = re.compile(r"\s*\*?(?:From|Von|De|差出人|送信者)\s?\*?\s?[:：]")
OTHER_HEADERS = (
    "Sent|Date|To|Subject|Gesendet|Datum|An|Betreff|Envoyé|À|Objet",
    r"Enviado(?: el)?|Fecha|Para|Asunto|送信日時|日時|宛先|件名",
)
BESIDE_FROM = re.compile(rf"\s*\*?(?:{'|'.join(OTHER_HEADERS)})\s?\*?\s?[:：]")
RULE = re.compile(r"\s*_{10,}\s*")
QUOTED = re.compile(r"\s{0,3}[>＞]")
LONGEST_WROTE = 3  # lines: programs break it
LONGEST_LINE = 500


def new_words(text: str) -> str:
    """An answer between the quoted lines is kept with them, since it says nothing without."""
    lines = text.strip().splitlines()
    quoted = [at for at, line in enumerate(lines) if QUOTED.match(line)]
    said = [at for at, line in enumerate(lines) if line.strip() and not QUOTED.match(line)]
    last_quoted, last_said = max(quoted, default=-1), max(said, default=-1)

    def ends_in_quotes(at: int) -> bool:
        return at > last_said and at <= last_quoted

    def begins_a_quote(at: int) -> bool:
        if length := wrote(lines, at):
            return ends_in_quotes(at + length) or last_quoted < at
        return ends_in_quotes(at) or is_heading(lines, at)

    end = next((at for at in range(len(lines)) if begins_a_quote(at)), len(lines))
    return "\n".join(lines[:end]).strip() or text.strip()


def wrote(lines: list[str], at: int) -> int:
    """How many lines say who wrote what follows; 0 for none."""
    for length in range(1, LONGEST_WROTE + 1):
        joined = " ".join(line.strip() for line in lines[at : at + length])
        if len(joined) < LONGEST_LINE and WROTE.fullmatch(joined):
            return length
    return 0


def is_heading(lines: list[str], at: int) -> bool:
    """What Outlook puts above a quote, which it does not mark: a rule, and the headers of the original."""
    if ORIGINAL.fullmatch(lines[at][:LONGEST_LINE]):
        return True
    if RULE.fullmatch(lines[at]):
        at = next((below for below in range(at + 1, min(at + 4, len(lines))) if lines[below].strip()), at)
    beside = [line for line in lines[at + 1 : at + 6] if BESIDE_FROM.match(line)]
    return bool(FROM.match(lines[at])) and len(beside) >= 2
