"""What whoever takes files in says of them: metadata, and who may see them."""

from dataclasses import dataclass, field, replace

from taskkit.knowledge import checks
from taskkit.knowledge.records import Document, Labels, Metadata


@dataclass(frozen=True, slots=True)
class Marks:
    """Both come before what a document says of itself. Labels that are not given (None) leave a file those that it
    has in the base: nobody opens it by forgetting them."""

    metadata: Metadata = field(default_factory=dict[str, str])
    access: Labels | None = None

    def on(self, document: Document, kept: Labels) -> Document:
        """`kept` are the labels that the file has in the base."""
        metadata = {**document.metadata, **self.metadata}
        if self.access is not None:
            return replace(document, metadata=metadata, access={**document.access, **self.access})
        return replace(document, metadata=metadata, access=document.access or kept)


def marked(metadata: Metadata | None, access: Labels | None) -> Marks:
    """Raises `InputError`."""
    checks.metadata({} if metadata is None else metadata, "What is taken in")
    return Marks(metadata or {}, None if access is None else checks.labels(access))
