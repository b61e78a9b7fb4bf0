"""The platform: what every app stands on, and the public APIs over them."""

__version__ = "0.1.0"
