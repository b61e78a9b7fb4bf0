"""The accounts of bench/faults: an honest run balances, and each kind of fault breaks its own account."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.faults_accounting import settle_accounts

PEOPLE, STEPS = 2, 2


def message(to: str, step: int, status: str) -> dict:
    name = f"{to}-{step}"
    return {"id": name, "message_id": f"<{name}>", "to": to, "step": step, "status": status}


def honest() -> tuple[list[dict], list[str], list[dict]]:
    """Ada got both mails; after Grace's first one there was no answer."""
    doubtful = message("grace", 1, "ambiguous")
    rows = [message("ada", 1, "sent"), message("ada", 2, "sent"), doubtful]
    return rows, ["<ada-1>", "<ada-2>", "<grace-1>"], [doubtful]


def broken(change: Callable[[list[dict], list[str], list[dict]], object]) -> list[str]:
    rows, received, doubtful = honest()
    change(rows, received, doubtful)
    accounts = settle_accounts(rows, received, doubtful, PEOPLE, STEPS)
    return [account.promise for account in accounts if account.offenders]


def test_an_honest_run_balances():
    assert broken(lambda *_: None) == []


@pytest.mark.parametrize(
    ("change", "promises"),
    [
        (
            lambda rows, received, doubtful: received.append("<ada-1>"),
            ["no Message-ID was received twice", "nobody was mailed one step twice"],
        ),
        (
            lambda rows, received, doubtful: (
                rows.append({**message("ada", 1, "sent"), "message_id": "<again>"}),
                received.append("<again>"),
            ),
            ["nobody was mailed one step twice"],
        ),
        (
            lambda rows, received, doubtful: rows[0].update(status="sending"),
            ["every message is in a known state", "all that was received is sent or ambiguous"],
        ),
        (
            lambda rows, received, doubtful: (rows.pop(), received.pop()),
            ["every contact has a row"],
        ),
        (
            lambda rows, received, doubtful: (rows.pop(1), received.pop(1)),
            ["whoever got a step has the next one"],
        ),
        (
            lambda rows, received, doubtful: received.append("<stranger>"),
            ["all that was received is in the ledger"],
        ),
        (
            lambda rows, received, doubtful: rows[2].update(status="cancelled"),
            ["every contact has a row", "all that was received is sent or ambiguous"],
        ),
        (
            lambda rows, received, doubtful: received.remove("<ada-2>"),
            ["all that is called sent was received"],
        ),
        (
            lambda rows, received, doubtful: doubtful.clear(),
            ["every ambiguous row is in the list to settle"],
        ),
    ],
)
def test_each_fault_breaks_its_account(change, promises):
    assert broken(change) == promises
