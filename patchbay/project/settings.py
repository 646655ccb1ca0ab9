"""Settings: the values that a service needs, declared by the service.

class Reminders(Service):
    sender = Setting("The sender of the reminders.", local="desk@example.com")
    per_day = Setting("The number of reminders in a day.", kind=int, local=10, dev=100, prod=5_000)

A setting without a value for a kind of stage is required there. Its value is looked up in the CDK
context (`-c reminders.sender=…`), then in pyproject.toml, and then it is the default.
"""

from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar, cast, overload

from patchbay.errors import UserError
from patchbay.project.project import Kind, Stage

T = TypeVar("T")
_REQUIRED: Any = object()


class BadSetting(UserError):
    """A setting is missing, or has the wrong type."""


class Owner(Protocol):
    """The part of a service that its settings need."""

    @property
    def stage(self) -> Stage: ...

    @classmethod
    def service_name(cls) -> str: ...

    def context(self, key: str) -> Any:
        """Return a value of the CDK context, or None."""


class Setting(Generic[T]):
    """A value that a service needs; each kind of stage may have a default."""

    def __init__(
        self,
        description: str,
        *,
        kind: type = str,
        default: T = _REQUIRED,
        local: T = _REQUIRED,
        dev: T = _REQUIRED,
        prod: T = _REQUIRED,
    ) -> None:
        """`description` is a sentence; `default` is for the kinds of stages without their own."""
        self._description = description
        self._kind = kind
        given: dict[Kind, T] = {"local": local, "dev": dev, "prod": prod}
        self._defaults = {
            each: default if value is _REQUIRED else value for each, value in given.items()
        }
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, service: None, owner: type) -> "Setting[T]": ...

    @overload
    def __get__(self, service: Owner, owner: type) -> T: ...

    def __get__(self, service: Owner | None, owner: type) -> "T | Setting[T]":
        if service is None:
            return self
        name = service.service_name()
        value = service.context(f"{name}.{self._name}")
        if value is None:
            value = service.stage.settings.get(name, {}).get(self._name)
        if value is None:
            value = self._defaults[service.stage.kind]
        if value is _REQUIRED:
            raise BadSetting(self._missing(service))
        return cast(T, value) if value is None else self._converted(value, name)

    def _converted(self, value: Any, service: str) -> T:
        try:
            return cast(T, self._kind(value))
        except (TypeError, ValueError) as error:
            raise BadSetting(
                f"The setting {self._name} of the service {service} is {value!r}, not of "
                f"type {self._kind.__name__}. {self._description}"
            ) from error

    def _missing(self, service: Owner) -> str:
        stage, name = service.stage.name, service.service_name()
        return (
            f"The service {name} needs the setting {self._name} in the stage {stage}. "
            f'{self._description} Put it into pyproject.toml, as {self._name} = "…" below '
            f"[tool.patchbay.stages.{stage}.settings.{name}], or pass `-c {name}.{self._name}=…`."
        )


def settings_of(owner: type) -> Iterator[str]:
    """Return the names of the settings that a service declares."""
    for kind in reversed(owner.__mro__):
        yield from (name for name, member in vars(kind).items() if isinstance(member, Setting))


def check(service: Owner) -> None:
    """Raise BadSetting with all missing settings of a service."""
    problems = []
    for name in settings_of(type(service)):
        try:
            getattr(service, name)
        except BadSetting as error:
            problems.append(str(error))
    if problems:
        raise BadSetting("\n".join(problems))
