"""What `init_task` says on one screen: warnings first, then what was found, decided and added; what is cut is in the JSON."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

LINES, WIDTH = 24, 100
WARNING_LINES = 3  # of one warning
FACT_LINES = 3  # of one fact
URGENT = ("warning", "note", "unreadable", "skipped", "left out", "leaks the label", "not listed")
Line = tuple[str, str]


@dataclass(frozen=True)
class Message:
    """All that is said: the heading, lines of (title, text), and what to do next."""

    heading: str
    lines: list[Line]
    after: list[str]

    @property
    def warnings(self) -> list[Line]:
        """The lines that need attention, the most urgent first."""
        urgent = [line for line in self.lines if line[0] in URGENT and line[1]]
        return sorted(urgent, key=lambda line: URGENT.index(line[0]))

    @property
    def facts(self) -> list[Line]:
        """The other lines."""
        return [line for line in self.lines if line[0] not in URGENT and line[1]]


def fit(message: Message) -> list[str]:
    """Return a message as at most `LINES` lines of at most `WIDTH` characters."""
    width = max((len(title) for title, text in message.lines if text), default=0) + 2
    budget = LINES - 2 - len(message.after)  # the heading, and the line that says something was cut
    n_facts = len(message.facts)
    room = max(3, budget - n_facts)
    warnings, cut = block(message.warnings, width, room, WARNING_LINES)
    facts, cut_facts = block(message.facts, width, budget - len(warnings), FACT_LINES)
    lines = [shortened(message.heading), *warnings, *facts, *map(shortened, message.after)]
    if cut or cut_facts:
        lines.append("Some lines are cut; --json prints everything.")
    return lines


def block(lines: Sequence[Line], width: int, room: int, most: int) -> tuple[list[str], bool]:
    """Return lines of (title, text) in two columns in at most `room` rows, `most` for each, and whether something was cut."""
    shown: list[str] = []
    is_cut = False
    left = len(lines)
    for title, text in lines:
        own = max(1, min(most, room - len(shown) - (left - 1)))
        parts = [textwrap.wrap(part, WIDTH - width - 2, break_on_hyphens=False) or [""] for part in text.splitlines()]
        rows = [row for part in parts for row in part]
        if len(rows) > own:
            is_cut = True
            rows = [*rows[: own - 1], shortened(f"{rows[own - 1]} ...", WIDTH - width - 2)]
        if len(shown) + len(rows) > room:
            return shown, True
        shown += [f"  {title if number == 0 else '':<{width}}{row}" for number, row in enumerate(rows)]
        left -= 1
    return shown, is_cut


def in_columns(lines: Sequence[Line]) -> list[str]:
    """Return lines of (title, text) in two columns, whole; those without a text are omitted."""
    filled = [line for line in lines if line[1]]
    width = max((len(title) for title, _ in filled), default=0) + 2
    return [
        f"  {title if number == 0 else '':<{width}}{row}"
        for title, text in filled
        for number, row in enumerate(text.splitlines())
    ]


def shortened(text: str, width: int = WIDTH) -> str:
    """Return a text of at most `width` characters."""
    return text if len(text) <= width else f"{text[: width - 4].rstrip()} ..."
