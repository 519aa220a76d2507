"""Names in pictures: bounded, cut in the middle, where they differ least."""

from __future__ import annotations

from markupsafe import Markup

from rpcscope.query.lifelines import short
from rpcscope_web.words import LONGEST, visible


def cut(text: object, most: int) -> str:
    """The text with at most so many characters; what acts without being seen is marked."""
    shown = visible(str(text))
    if len(shown) <= most:
        return shown
    head = most * 3 // 5
    return f"{shown[:head]}…{shown[-(most - head - 1) :]}"


def label(text: object, most: int = 60, of: object = None) -> Markup:
    """A cut name for HTML, its direction kept, on hover more of it, or of what it is the short form of."""
    shown = cut(text, most)
    whole = cut(text if of is None else of, LONGEST)
    title = Markup(' title="{}"').format(whole) if whole != shown else ""
    return Markup("<bdi class='name'{}>{}</bdi>").format(title, shown)


def method(text: str, most: int = 60) -> Markup:
    """`object_action(Instance.save)` as Instance.save, whole on hover."""
    return label(short(text), most, text)
