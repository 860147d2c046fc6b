"""What backends are declared to do: `policies.toml`, read so that every mistake is named at once.

The last policy that matches a backend, an operation and a situation counts: general ones stand first, exceptions after.
A policy with one fact needs a public document that says so, or the versions in which it was measured. A policy with
several facts also says what they vary by, and why: it declares a known inconsistency. It is strict: the backend differs
from it if not all of the facts are seen. Only a policy that depends on something outside, such as the processor, allows
any of its facts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from harness.errors import UsageError
from harness.questions.suites.schema import pattern_of, said
from harness.specials.special_inputs import SITUATIONS, SPECIAL_OPERATIONS

AS_DECLARED, DIFFERS = "as declared", "differs from declaration"
INCONSISTENT, UNDECLARED = "inconsistent", "not declared"
VERDICTS = (AS_DECLARED, DIFFERS, INCONSISTENT, UNDECLARED)
FILE = "policies.toml"


def several(given: Any) -> Any:
    """Return a list, in which a single string is the only element."""
    return [given] if isinstance(given, str) else given


ListOf = BeforeValidator(several), Field(min_length=1)


class Policy(BaseModel):
    """A declaration for every backend, operation and situation whose names match one of its patterns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: Annotated[list[str], *ListOf] = ["*"]
    operation: Annotated[list[Annotated[str, pattern_of(SPECIAL_OPERATIONS)]], *ListOf] = ["*"]
    situation: Annotated[list[Annotated[str, pattern_of(SITUATIONS)]], *ListOf]
    fact: Annotated[list[str], *ListOf]
    by: str = ""
    """The coordinates that several facts vary by, joined by " and "."""
    why: str = ""
    depends: str = ""
    """What decides the fact outside of all coordinates, so that any of the facts is as declared."""
    source: Annotated[str, Field(pattern="^(https://.*)?$")] = ""
    measured: str = ""
    """The versions in which it was measured, where no document says anything."""

    @model_validator(mode="after")
    def is_grounded(self) -> Policy:
        if bool(self.source) == bool(self.measured):
            raise ValueError("needs either `source`, a link, or `measured`, the versions")
        if (len(self.fact) > 1) != bool(self.by or self.depends) or (self.by and self.depends):
            raise ValueError("several facts need either `by` or `depends`, and one has neither")
        if len(self.fact) > 1 and not self.why:
            raise ValueError("an inconsistency that is known needs `why`")
        return self

    @property
    def says(self) -> str:
        known = f" (known to vary by {self.by})" if self.by else f" (depends on {self.depends})" if self.depends else ""
        return " | ".join(sorted(self.fact)) + known + (f": {self.why}" if self.why else "")

    def allows(self, facts: Sequence[str], by: str) -> bool:
        """Decide whether these facts, which vary by `by`, are as declared."""
        if self.depends:
            return set(facts) <= set(self.fact)
        return set(facts) == set(self.fact) and by == self.by

    @property
    def ground(self) -> str:
        return self.source or f"measured: {self.measured}"

    def matches(self, *names: str) -> bool:
        """Decide whether the policy is about a backend, an operation and a situation, named in this order."""
        patterns = (self.backend, self.operation, self.situation)
        return all(any(fnmatchcase(name, one) for one in of) for name, of in zip(names, patterns, strict=True))


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    policy: list[Policy]


def declared(policies: Sequence[Policy], *names: str) -> Policy | None:
    """Return the policy that counts for a backend, an operation and a situation, named in this order, or None."""
    return next((policy for policy in reversed(policies) if policy.matches(*names)), None)


def ours() -> tuple[Policy, ...]:
    """Return the policies that come with the harness."""
    return parsed(files("harness.specials").joinpath(FILE).read_text("utf-8"), FILE)


def parsed(text: str, name: str) -> tuple[Policy, ...]:
    """Return the policies in a text. Raise UsageError that names every mistake, each with its place."""
    try:
        return tuple(Document.model_validate(tomllib.loads(text)).policy)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not TOML: {error}") from None
    except ValidationError as error:
        lines = (f"  {place(entry['loc'])}: {said(entry)}" for entry in error.errors())
        raise UsageError("\n".join([f"{name} is no list of policies:", *lines])) from None


def place(loc: Sequence[int | str]) -> str:
    """Return the place of a mistake in words, as in "policy[3].fact[1]", counted from 1."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
