"""What a cloud can play: templates made ready, by kind and by how many servers an operation is about."""

from __future__ import annotations

import random
from collections.abc import Container, Iterable, Iterator, Mapping

from rpcscope.emulator.score import Manner, Node, Score
from rpcscope.emulator.slots import UUID_SIZE
from rpcscope.errors import UsageError
from rpcscope.flows.world import Asked
from rpcscope.templates.model import DEST, SOURCE, Template

STARTUP = "startup:"
"""Kinds of templates that a host plays when it starts."""


class Playbill:
    """All templates of a run."""

    def __init__(self, templates: Iterable[Template], manner: Manner) -> None:
        """Raises UsageError for a template that can not be played."""
        self._scores: dict[tuple[str, int], list[Score]] = {}
        self._timers: list[Template] = []
        for one in templates:
            servers = _servers(one)
            self._scores[one.kind, servers] = [Score(variant, manner, servers) for variant in one.variants]
            if one.background and one.interval_s:
                self._timers.append(one)
            self._check(one, self._scores[one.kind, servers])

    def nodes(self) -> Iterator[Node]:
        """Every step of all."""
        return (node for scores in self._scores.values() for score in scores for node in score.nodes())

    def timers(self) -> list[Template]:
        """What runs on each host at an interval."""
        return self._timers

    def starts(self) -> list[tuple[str, int]]:
        """Kinds that a host plays when it starts, with how many servers they are about."""
        return sorted(known for known in self._scores if known[0].startswith(STARTUP))

    def check(self, asked: Asked, hosts: Container[str]) -> None:
        """Raises UsageError when it can not be played with these hosts."""
        scores = self._scores.get((asked.kind, len(asked.instances)))
        if scores is None:
            known = ", ".join(sorted(f"{kind} of {servers} servers" for kind, servers in self._scores))
            raise UsageError(f"There is no template of {asked.kind} of {len(asked.instances)} servers: use {known}.")
        if wrong := [one for one in asked.instances if len(one.encode()) != UUID_SIZE]:
            raise UsageError(f"A server is named by its uuid, {UUID_SIZE} characters, not by {wrong[0][:UUID_SIZE]!r}.")
        for role, host in ((SOURCE, asked.source), (DEST, asked.dest)):
            if host and host not in hosts:
                raise UsageError(f"The host {host} is not in the fleet: add it to the fleet file.")
            if not host and any(score.needs(role) for score in scores):
                raise UsageError(f"An operation of the kind {asked.kind} needs a {role} host: name one.")

    def draw(self, asked: Asked, rng: random.Random) -> Score:
        """One of its variants, as often as it was recorded."""
        scores = self._scores[asked.kind, len(asked.instances)]
        if len(scores) == 1:
            return scores[0]
        return rng.choices(scores, [score.variant.share for score in scores])[0]

    def _check(self, template: Template, scores: list[Score]) -> None:
        for score in scores:
            if template.background and score.needs(DEST):
                raise UsageError(
                    f"The background template {template.kind} has a step for a dest host: it has a source."
                )
            for node in score.nodes():
                if unknown := {node.step.host, node.step.sender_host} - {"", SOURCE, DEST}:
                    where = f"The template {template.kind} has a step for the host {min(unknown)}"
                    raise UsageError(f"{where}: name it {SOURCE} or {DEST}.")
                node.check()


def roles(asked: Asked) -> Mapping[str, str]:
    """Its hosts by role."""
    return {role: host for role, host in ((SOURCE, asked.source), (DEST, asked.dest)) if host}


def _servers(template: Template) -> int:
    """How many an operation is about; what a timer starts is about those of its host, whom nobody names."""
    return 0 if template.background else template.instances
