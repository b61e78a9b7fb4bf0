"""Name servers for tests: one that never answers, and one that reads from a table."""

from __future__ import annotations

from outreach.deliverability.lookups import Unanswered


class Silent:
    def __init__(self, seconds: float = 0):
        pass

    def txt(self, name: str) -> list[str]:
        raise Unanswered("no name server in tests")

    def mx(self, name: str) -> list[str]:
        raise Unanswered("no name server in tests")


class Table:
    """`Table({"example.com": ["v=spf1 -all"]}, mx={"example.com": ["mx.example.com"]})`.

    What is not in it does not exist; a name whose entry is None does not answer. `questions` were asked.
    """

    def __init__(self, txt: dict[str, list[str] | None], mx: dict[str, list[str]] | None = None):
        self.texts, self.hosts = txt, mx or {}
        self.questions: list[str] = []

    def txt(self, name: str) -> list[str]:
        self.questions.append(name)
        found = self.texts.get(name, [])
        if found is None:
            raise Unanswered("the name server is asleep")
        return found

    def mx(self, name: str) -> list[str]:
        return self.hosts.get(name, [])


class Empty(Table):
    """Answers that there is nothing, whatever it is asked."""

    def __init__(self, seconds: float = 0):
        super().__init__({})
