"""A text and where it came from: read once, never changed, so that every offset stays true."""

import codecs
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path, PurePath
from typing import Self, TypeAlias

from taskkit.errors import InputError
from taskkit.images import data_url, is_image, kind_of, mark_of, web_url
from taskkit.split import Piece, split
from taskkit.tokens import Counter

__all__ = ["Piece", "Source", "Text", "format_of", "images_of", "read", "text_of"]

_MARKDOWN = frozenset(["md", "markdown", "mdown", "mkd"])
_HTML = frozenset(["html", "htm", "xhtml"])
_CODE = frozenset(
    [
        "asm",
        "awk",
        "bash",
        "bat",
        "c",
        "cc",
        "clj",
        "cljs",
        "cmake",
        "cmd",
        "cpp",
        "cs",
        "css",
        "cu",
        "cxx",
        "d",
        "dart",
        "el",
        "erl",
        "ex",
        "exs",
        "f90",
        "fish",
        "fs",
        "go",
        "gradle",
        "graphql",
        "groovy",
        "h",
        "hh",
        "hpp",
        "hs",
        "hxx",
        "ini",
        "java",
        "jl",
        "js",
        "json",
        "jsonl",
        "jsx",
        "kt",
        "kts",
        "less",
        "lisp",
        "lua",
        "m",
        "mjs",
        "ml",
        "mli",
        "mm",
        "nim",
        "nix",
        "pas",
        "php",
        "pl",
        "pm",
        "proto",
        "ps1",
        "py",
        "pyi",
        "pyx",
        "r",
        "rb",
        "rkt",
        "rs",
        "scala",
        "scm",
        "scss",
        "sh",
        "sql",
        "sv",
        "svelte",
        "swift",
        "tcl",
        "tf",
        "toml",
        "ts",
        "tsx",
        "v",
        "vb",
        "vhd",
        "vim",
        "vue",
        "xml",
        "yaml",
        "yml",
        "zig",
        "zsh",
    ]
)
# What the knowledge base's readers take out of their files; HTML is text already.
_DOCUMENTS = frozenset(["docm", "docx", "dotx", "eml", "epub", "ipynb", "pdf", "ppsx", "pptm", "pptx"])
PAGE = "\f"  # ends each page of a text
_MAGIC = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive or an Office document",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\x1f\x8b": "a gzip archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x7fELF": "a program",
    b"SQLite format 3": "a database",
}


@dataclass(frozen=True, slots=True)
class Text:
    """`format` is `text`, `markdown`, `html`, `code`, `rst`, `table` (rows of CSV) or `json`; `start` the offset of
    `text[0]` in the source that it was taken from. `images` are the URLs of those whose marks stand in the text (see
    `images`). `lacks` is what could not be taken of its file, in words. Each page of a document (a slide, a chapter)
    ends with a form feed."""

    text: str
    name: str = ""
    format: str = "text"
    start: int = 0
    images: tuple[str, ...] = field(default=(), repr=False)
    lacks: str = field(default="", compare=False, repr=False)

    @classmethod
    def image(cls, url: str) -> Self:
        """An image by its address, which the endpoint fetches; a file or bytes are sources as they are."""
        return cls(mark_of(web_url(url)), url.rpartition("/")[2][:80], images=(url,))

    @property
    def extracted(self) -> bool:
        """Whether a reader took it out of its file: its lines are not the file's."""
        return PurePath(self.name).suffix[1:].lower() in _DOCUMENTS

    def split(
        self, max_tokens: int, *, counter: Counter | None = None, overlap: int = 0, balance: bool = False
    ) -> list[Piece]:
        """Pieces of at most `max_tokens` that joined are the text, cut where its structure allows.

        `overlap` is how many tokens of `before` come on top. With `balance` there are as few pieces as can
        be, of about one size; without, a piece may end at half its size where a section does.
        Raises `InputError` for a limit under 4 tokens, since one character may have as many."""
        return split(
            self.text, self.format, max_tokens, counter=counter, overlap=overlap, balance=balance, at=self.start
        )


Source: TypeAlias = str | Path | bytes | Text


def read(source: Source, *, images: bool = False, documents: bool = False) -> Text:
    """A `str` is the text itself, a `Path` a file: UTF-8, or UTF-16 with its mark; line ends stay as they are. With
    `images` it may be one (PNG, JPEG, GIF, WebP), as `bytes` are: the text is then its mark. With `documents` it may
    be a PDF, an Office document, an EPUB, a mail or a notebook: the text is then what its reader takes out of it.

    Raises `InputError` when it is missing, a folder, empty, binary or not decodable."""
    if isinstance(source, Path):
        if documents and source.suffix[1:].lower() in _DOCUMENTS and source.is_file():
            text: Text = import_module("taskkit.knowledge.read").text_of(source)  # the core imports none of its users
            return text
        data = _contents(source)
        if images and kind_of(data):
            return _image(data, str(source))
        text = Text(decoded(data, source), str(source), format_of(source))
    elif isinstance(source, bytes):
        if not images:
            raise InputError("Bytes are taken for an image, and none can be used here.", hint="Give a text.")
        return _image(source, "The image")
    else:
        text = source if isinstance(source, Text) else Text(source)
    if not text.text or text.text.isspace():
        raise InputError(f"{text.name or 'The text'} is empty.", hint="Give it a text to work on.")
    return text


def is_pipe(path: Path) -> bool:
    """What can be read once only: a named pipe, a device, what a shell makes of `<(…)`."""
    return path.exists() and not path.is_file() and not path.is_dir()


def text_of(value: object) -> object:
    """A file or a named text as its characters, also in a list; anything else as it is."""
    if isinstance(value, list | tuple):
        return [text_of(one) for one in value]
    return read(value, images=True, documents=True).text if isinstance(value, Path | Text | bytes) else value


def images_of(value: object) -> dict[str, str]:
    """The images of a source, or of several in a list, by their marks."""
    if isinstance(value, list | tuple):
        return {mark: url for one in value for mark, url in images_of(one).items()}
    if isinstance(value, bytes) or (isinstance(value, Path) and is_image(value)):
        value = read(value, images=True)
    return {mark_of(url): url for url in value.images} if isinstance(value, Text) else {}


def _image(data: bytes, name: str) -> Text:
    url = data_url(data, name)
    return Text(mark_of(url), name, images=(url,))


def format_of(path: Path) -> str:
    suffix = path.suffix[1:].lower()
    if suffix in _MARKDOWN:
        return "markdown"
    if suffix in _HTML:
        return "html"
    return "code" if suffix in _CODE else "text"


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.", hint="Check its name and folder.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder.", hint="Give a file in it.") from None
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror or error}.") from error
    except ValueError:  # a NUL in the name
        raise InputError(f"{str(path)!r} is no file name.") from None


def decoded(data: bytes, path: object = "") -> str:
    """UTF-8, or UTF-16 with its mark. Raises `InputError` that begins with `path`."""
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            raise InputError(f"{path} is {kind}, not a text.", hint="Give its text instead.")
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in data[:8192]:
            raise _binary(path) from None
        raise InputError(
            f"{path} is not {'UTF-16' if encoding == 'utf-16' else 'UTF-8'}: byte {error.start} can not be decoded.",
            hint="Save it as UTF-8.",
        ) from None
    if "\0" in text:
        raise _binary(path)
    return text


def _binary(path: object) -> InputError:
    return InputError(f"{path} is binary, not a text.", hint="Give its text instead.")
