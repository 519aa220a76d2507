"""Which requests are in flight: one definition for what is counted while recording and for what is read later."""

from __future__ import annotations

REPEAT_NS = 300_000_000_000
"""Work in flight that does not change is stored again this often."""
