"""Prompts: Jinja text in blocks, each block a list of parts with a role and a rule for when room runs out.

A prompt file lies beside its task and reads like this; a block is named after what it is for:

    {% block answer %}
    @system
    You answer from the passages alone.
    @user drop for passage in passages
    {{ passage.text | data("passage") }}
    @user
    {{ question }}
    {% endblock %}

A line `@role [keep|drop|cut] [for NAME in LIST]` opens a part; `keep` is the rule when none is given. With
`for`, there is a part for each item, and the first items are the last to be dropped. Values are data: they are
never read as templates, and a part is found in the file before anything is filled in."""

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from taskkit.engine.call import Role
from taskkit.errors import ConfigurationError
from taskkit.settings import config_dir

if TYPE_CHECKING:
    from jinja2 import Template as JinjaTemplate
    from jinja2.sandbox import ImmutableSandboxedEnvironment

Rule = Literal["keep", "drop", "cut"]

BLOCK = re.compile(r"\{%-?\s*block\s+(\w+)\s*-?%\}(.*?)\{%-?\s*endblock\b[^%]*%\}", re.DOTALL)
PART = re.compile(r"^@(system|user|assistant)(?:[ ]+(keep|drop|cut))?(?:[ ]+for (\w+) in (\w+))?[ ]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """`rule`: `keep` is never touched, `drop` goes as a whole, lowest `priority` first, `cut` loses its end."""

    role: Role
    text: str
    rule: Rule = "keep"
    priority: int = 0
    name: str = ""
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A part before its values are known."""

    role: Role
    text: str
    rule: Rule
    item: str
    items: str


class Prompt:
    """`Prompt("Write a haiku about {{ subject }}.")`, or `Prompt.beside(__file__)` for the Markdown file there."""

    def __init__(self, text: str = "", *, path: Path | None = None) -> None:
        self._text = text
        self._path = path

    @classmethod
    def beside(cls, module_file: str) -> "Prompt":
        """The `.md` of the same name as the module; a project's or a user's own copy comes before it."""
        path = Path(module_file)
        return cls(path=(path.parent if path.stem == "__init__" else path).with_suffix(".md"))

    @property
    def name(self) -> str:
        return self._path.stem if self._path else "inline"

    @property
    def file(self) -> Path | None:
        """The file in force: `prompts/` of the project, then of the user's configuration, then the package's."""
        if self._path is None:
            return None
        own = (Path("prompts"), config_dir() / "prompts")
        return next((found for folder in own if (found := folder / self._path.name).is_file()), self._path)

    @property
    def _said(self) -> str:
        """Its name, and where somebody's own takes the place of the built-in one, its file."""
        file = self.file
        return self.name if file == self._path else f"{self.name}, which is {file},"

    @property
    def built_in(self) -> Path | None:
        """The file that came with the task."""
        return self._path

    @property
    def built_in_digest(self) -> str:
        return "" if self._path is None else _digest(self._path.read_text("utf-8"))

    @property
    def digest(self) -> str:
        return _digest(self.source)

    @property
    def source(self) -> str:
        file = self.file
        return self._text if file is None else _read(file, file.stat().st_mtime_ns)

    def parts(
        self, block: str = "", /, *, examples: Iterable[Mapping[str, object]] = (), **values: object
    ) -> list[Part]:
        """Fills a block. Few-shot `examples` (`input`, `output`) become turns after the system part.

        Raises `ConfigurationError` for an unknown block or value, or a template that does not parse."""
        templates = _templates(self.source, self._said).get(block)
        if templates is None:
            raise ConfigurationError(f"The prompt {self._said} has no block {block!r}.")
        parts: list[Part] = []
        for template in templates:
            parts.extend(self._fill(template, values))
        if shots := list(_turns(examples)):
            after = next((i for i, part in enumerate(parts) if part.role != "system"), len(parts))
            parts[after:after] = shots
        return parts

    def _fill(self, template: Template, values: Mapping[str, object]) -> Iterator[Part]:
        if not template.items:
            text = self._render(template.text, values)
            if text.strip():
                yield Part(template.role, text, template.rule, name=template.role)
            return
        try:
            items = list(cast("Iterable[object]", values[template.items]))
        except KeyError:
            raise ConfigurationError(
                f"The prompt {self._said} wants {template.items!r}, which it was not given."
            ) from None
        for number, item in enumerate(items, 1):
            text = self._render(template.text, {**values, template.item: item, "number": number})
            yield Part(template.role, text, template.rule, -number, f"{template.item} {number}")

    def _render(self, text: str, values: Mapping[str, object]) -> str:
        from jinja2 import TemplateError

        try:
            return _compiled(text).render(values).strip("\n")
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise ConfigurationError(f"The prompt {self._said} can not be filled: {error}.") from error


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def _turns(examples: Iterable[Mapping[str, object]]) -> Iterator[Part]:
    for number, example in enumerate(examples, 1):
        for role, key in (("user", "input"), ("assistant", "output")):
            value = example[key]
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield Part(cast("Role", role), text, "drop", -1000 - number, f"example {number}")


@functools.lru_cache(maxsize=256)
def _read(file: Path, _stamp: int) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The prompt file {file} can not be read: {error}.") from error


@functools.lru_cache(maxsize=256)
def _templates(source: str, name: str) -> Mapping[str, tuple[Template, ...]]:
    blocks = {found[1]: found[2] for found in BLOCK.finditer(source)} or {"": source}
    return {block: tuple(_split(text, name, block)) for block, text in blocks.items()}


def _split(text: str, name: str, block: str) -> Iterator[Template]:
    heads = list(PART.finditer(text))
    if not heads:
        yield Template("user", text.strip("\n"), "keep", "", "")
        return
    if text[: heads[0].start()].strip():
        raise ConfigurationError(f"The prompt {name} has text before the first @role line of {block or 'it'}.")
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        body = text[head.end() : following.start() if following else len(text)].strip("\n")
        yield Template(cast("Role", head[1]), body, cast("Rule", head[2] or "keep"), head[3] or "", head[4] or "")


@functools.lru_cache(maxsize=1)
def _environment() -> "ImmutableSandboxedEnvironment":
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        keep_trailing_newline=True,
    )
    environment.filters["data"] = fence
    return environment


@functools.lru_cache(maxsize=512)
def _compiled(text: str) -> "JinjaTemplate":
    return _environment().from_string(text)


def fence(text: object, name: str = "text") -> str:
    """Untrusted text between marks that it does not contain. The mark is made from the text alone, so that
    the same text gives the same prompt."""
    body = str(text)
    full = hashlib.blake2b(body.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
    mark = next((full[:n] for n in range(4, len(full)) if full[:n] not in body), full)
    return f"<<<{name} {mark}>>>\n{body}\n<<<end of {name} {mark}>>>"
