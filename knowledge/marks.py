"""What whoever takes files in says of them: metadata, and who may see them."""

from dataclasses import dataclass, replace

from taskkit.knowledge import checks
from taskkit.knowledge.records import Document, Labels, Metadata


@dataclass(frozen=True, slots=True)
class Marks:
    """Both come before what a document says of itself. What is not given (None) is as it was before: nobody opens a
    file by forgetting its labels."""

    metadata: Metadata | None = None
    access: Labels | None = None

    def on(self, document: Document, kept: Labels, folder: "Marks | None" = None) -> Document:
        """`kept` are the labels that the file has in the base, `folder` what its folder was taken in with."""
        said = self.metadata if self.metadata is not None else folder and folder.metadata
        metadata = {**document.metadata, **(said or {})}
        if self.access is not None:
            return replace(document, metadata=metadata, access={**document.access, **self.access})
        return replace(document, metadata=metadata, access=document.access or kept or (folder and folder.access) or {})

    def told(self) -> str:
        """In words, nothing where there is nothing."""
        parts: list[str] = []
        for what, some in (("access", self.access), ("metadata", self.metadata)):
            for key, value in (some or {}).items():
                values = value if isinstance(value, list | tuple) else [value]
                parts.append(f"{what} {key} = {', '.join(map(str, values))}")
        return ", ".join(parts)


def marked(metadata: Metadata | None, access: Labels | None) -> Marks:
    """Raises `InputError`."""
    checks.metadata({} if metadata is None else metadata, "What is taken in")
    return Marks(metadata, None if access is None else checks.labels(access))
