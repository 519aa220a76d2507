"""The accounts that docs/production.md tells people to make, made on a broker as the page says."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.rabbitmq import Cloud

PAGE = Path(__file__).parents[2] / "docs/production.md"
RIGHTS = ("configure", "write", "read")


@dataclass(frozen=True)
class Account:
    """A user as the commands under one heading of the page make it."""

    name: str
    tags: str = ""
    rights: dict[str, str] = field(default_factory=dict)  # by RIGHTS; none: no access to the vhost

    def without(self, right: str, name: str) -> Account:
        """The same without one right: what it may configure, write or read but for this name."""
        names = alternatives(self.rights[right])
        assert name in names
        rest = "|".join(one for one in names if one != name)
        return replace(self, rights={**self.rights, right: f"^({rest})$" if rest else "^$"})

    def made(self, cloud: Cloud) -> str:
        """Make it on the cloud's broker under a name of its own; user:password@ of a URL."""
        user = f"{self.name}-{cloud.vhost}"
        cloud.server.add_user(user, "PS7q", tags=self.tags)
        if self.rights:
            cloud.server.grant(user, cloud.vhost, **self.rights)
        return f"{user}:PS7q@"


def alternatives(pattern: str) -> list[str]:
    """The names in a pattern as the page writes them: ^one$ or ^(one|other)$."""
    return pattern.removeprefix("^").removesuffix("$").removeprefix("(").removesuffix(")").split("|")


def account(heading: str) -> Account:
    """What the commands under a heading of the page make."""
    (section,) = re.findall(rf"^### {re.escape(heading)}$(.*?)(?=^#)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    made = Account("")
    for line in re.findall(r"^    rabbitmqctl (.*)$", section, re.MULTILINE):
        verb, *words = shlex.split(line)
        if verb == "add_user":
            made = replace(made, name=words[0])
        elif verb == "set_user_tags":
            assert words[0] == made.name
            made = replace(made, tags=",".join(words[1:]))
        else:
            assert (verb, *words[:3]) == ("set_permissions", "-p", "nova", made.name)
            made = replace(made, rights=dict(zip(RIGHTS, words[3:], strict=True)))
    return made
