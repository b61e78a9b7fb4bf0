"""Accounts, the people and teams in them, and the keys programs use."""
