"""One command runs everything: prepares a data folder, then supervises web, worker, beat and mail sink.

Standard library only, so that the supervisor stays small and works before Django can be imported.
"""


class CannotStart(Exception):
    """A sentence for the person who typed the command: what is wrong and what would work."""
