"""The rules as typed records, and the questions decode and correlate ask them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from rpcscope import safe
from rpcscope.model import Call, Message, MessageKind
from rpcscope.rules.notices import NoticeRules
from rpcscope.rules.paths import walk

START, STEP, TIMER, NOTICE, FALLBACK, NONE = 4, 3, 2, 2, 1, 0
"""Ranks of evidence for a kind: its first control RPC, one of its later steps, a timer's RPC or a notification,
the method alone, nothing."""


@dataclass(frozen=True, slots=True)
class Match:
    """`TOPIC: METHOD +fact -fact`. A topic may hold `*`; `*` alone is any."""

    topic: str
    method: str
    wanted: frozenset[str]
    unwanted: frozenset[str]

    def fits(self, topic: str, facts: frozenset[str]) -> bool:
        """Topic and facts; the method has been looked up before."""
        return self.wanted <= facts and not self.unwanted & facts and fnmatchcase(topic, self.topic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of operation."""

    name: str  # nova's instance-action name, or periodic:..., startup:...
    title: str = ""  # plain words
    background: bool = False
    source: tuple[Match, ...] = ()  # their server part is the source host
    dest: tuple[Match, ...] = ()  # their server part is the destination host
    source_is_instance_host: bool = False  # the source is where the start message says the server is

    def completed_by(self, other: Kind) -> Kind:
        """This kind; where it is silent, what another entry of its name says."""
        return replace(
            self,
            title=self.title or other.title,
            source=self.source or other.source,
            dest=self.dest or other.dest,
            source_is_instance_host=self.source_is_instance_host or (not self.source and other.source_is_instance_host),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRule:
    """How a fact is found in a request's args."""

    name: str
    test: str  # equals | same_as | present | value
    path: tuple[str, ...]
    operand: Any = None  # equals: the value; same_as: a path

    def find(self, args: Any) -> str:
        """The fact, or "" when it does not hold."""
        value = walk(args, self.path)
        if self.test == "value":
            return f"{self.name}:{word}" if (word := safe.token(value)) else ""
        if self.test == "present":
            holds = value is not None
        elif self.test == "same_as":
            holds = value is not None and value == walk(args, self.operand)
        else:
            holds = type(value) is type(self.operand) and value == self.operand
        return self.name if holds else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules in force. Build it with `load_rules`."""

    kinds: Mapping[str, Kind]
    evidence: Mapping[str, tuple[tuple[Match, str, int], ...]]  # method -> match, kind, rank
    fact_rules: Mapping[str, tuple[FactRule, ...]]  # method -> its facts
    leaves: frozenset[str]  # methods (without what is in brackets) that never cause an RPC
    casts_without_end: frozenset[str]  # casts whose end no message tells
    end_events: Mapping[str, str]  # cast -> name of the action event that ends it
    end_steps: Mapping[str, tuple[Match, ...]]  # cast -> RPCs that end it
    relays: frozenset[str]  # casts whose work is to cast on: done when they have caused something
    no_evidence: frozenset[str]  # methods that any kind of operation has
    expected: Mapping[str, frozenset[str]]  # method -> failure classes that are normal
    follows: Mapping[str, str]  # a method with a stale request id -> the method whose parent it shares
    notices: NoticeRules = field(default_factory=NoticeRules)  # what notifications tell
    progress: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # method -> path to the migration it saves

    def facts(self, method: str, args: Any) -> frozenset[str]:
        """Facts of one request."""
        rules = self.fact_rules.get(method)
        if not rules:
            return frozenset()
        return frozenset(fact for rule in rules if (fact := rule.find(args)))

    def is_leaf(self, method: str) -> bool:
        """Whether handling it never causes another RPC."""
        return method.partition("(")[0] in self.leaves

    def kind_of(self, message: Message) -> tuple[str, int]:
        """The kind that a request, cast or fanout speaks for, and its rank."""
        for match, kind, rank in self.evidence.get(message.method, ()):
            if match.fits(message.topic, message.facts):
                return kind, rank
        if message.method in self.no_evidence:
            return "", NONE
        return self._fallback(message.method), FALLBACK

    def _fallback(self, method: str) -> str:
        """An RPC that no rule names: an object call comes from a timer, others from a person."""
        inner = method.partition("(")[2]
        return f"periodic:{inner[:-1]}" if inner else method

    def is_background(self, kind: str) -> bool:
        """Whether operations of a kind are started by timers or start-up, not by people."""
        known = self.kinds.get(kind)
        return known.background if known else kind.startswith(("periodic:", "startup:"))

    def is_expected(self, method: str, failure: str) -> bool:
        """Whether a failure of this class is normal for this method."""
        return failure in self.expected.get(method, ())

    def end_of(self, message: Message | Call) -> str:
        """How a cast's work is seen to end: the name of an action event, "step", "relay" or ""."""
        if message.kind is not MessageKind.CAST or message.method in self.casts_without_end:
            return ""
        if message.method in self.end_steps:
            return "step"
        if message.method in self.relays and not message.server:
            return "relay"
        known = self.end_events.get(message.method)
        if known is not None:
            return known
        return f"compute_{message.method}" if message.topic.startswith("compute") and message.server else ""


def any_fits(matches: Iterable[Match], message: Message) -> bool:
    """Whether a message is one of those named."""
    return any(m.method == message.method and m.fits(message.topic, message.facts) for m in matches)
