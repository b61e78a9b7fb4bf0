"""Delivers events to endpoints, signed, whatever they are about."""
