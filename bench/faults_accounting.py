"""The accounts of bench/faults: what the server received against what the API says, set against set."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.installation import Installation
from tests.sinks import Arrival

MESSAGE_ID = re.compile(rb"^Message-ID: (\S+)\r$", re.MULTILINE)
END_STATES = {"sent", "ambiguous", "cancelled"}


@dataclass(frozen=True)
class Account:
    """One line: what should be empty, and what was found there."""

    promise: str
    offenders: list[str]

    def __str__(self) -> str:
        verdict = "ok" if not self.offenders else f"BROKEN by {len(self.offenders)}: {self.offenders[:5]}"
        return f"{self.promise}: {verdict}"


def message_ids(arrivals: list[Arrival]) -> list[str]:
    return [MESSAGE_ID.search(arrival.data)[1].decode() for arrival in arrivals]  # type: ignore[index]


def settle_accounts(
    messages: list[dict], received: list[str], doubtful: list[dict], people: int, steps: int
) -> list[Account]:
    """`messages` are the ledger's rows, `received` Message-IDs as they came, `doubtful` what is to settle."""
    rows = {message["message_id"]: message for message in messages}
    ids = set(received)
    live = [message for message in messages if message["status"] != "cancelled"]
    taken = [(rows[one]["to"], str(rows[one]["step"])) for one in received if one in rows]
    first = {message["to"] for message in live if message["step"] == 1}
    return [
        Account("every message is in a known state", unknown_states(messages)),
        Account("no Message-ID was received twice", twice(received)),
        Account("nobody was mailed one step twice", twice([" ".join(pair) for pair in taken])),
        Account("every contact has a row", [f"{people - len(first)} lost"] if len(first) != people else []),
        Account("whoever got a step has the next one", next_steps_missing(live, steps)),
        Account("all that was received is in the ledger", sorted(ids - set(rows))),
        Account("all that was received is sent or ambiguous", unaccounted(rows, ids)),
        Account("all that is called sent was received", of_state(messages, "sent", ids)),
        Account("every ambiguous row is in the list to settle", not_listed(messages, doubtful)),
    ]


def unknown_states(messages: list[dict]) -> list[str]:
    return [f"{one['message_id']} {one['status']}" for one in messages if one["status"] not in END_STATES]


def twice(words: list[str]) -> list[str]:
    return [word for word, times in Counter(words).items() if times > 1]


def next_steps_missing(live: list[dict], steps: int) -> list[str]:
    here = {(message["to"], message["step"]) for message in live}
    sent = [(one["to"], one["step"]) for one in live if one["status"] == "sent" and one["step"] < steps]
    return [address for address, step in sent if (address, step + 1) not in here]


def unaccounted(rows: dict[str, dict], ids: set[str]) -> list[str]:
    known = [rows[one] for one in ids & set(rows)]
    return [one["message_id"] for one in known if one["status"] not in ("sent", "ambiguous")]


def of_state(messages: list[dict], state: str, ids: set[str]) -> list[str]:
    return [one["message_id"] for one in messages if one["status"] == state and one["message_id"] not in ids]


def not_listed(messages: list[dict], doubtful: list[dict]) -> list[str]:
    listed = {message["id"] for message in doubtful}
    return [
        message["message_id"]
        for message in messages
        if message["status"] == "ambiguous" and message["id"] not in listed
    ]


def prove(up: Installation, received: list[str], log: Path) -> str:
    """What `prove_no_double` says; it raises where there is an offence."""
    log.write_text("".join(f"{one}\n" for one in received))
    return up.manage("prove_no_double", "--received", str(log))
