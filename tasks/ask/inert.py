"""An answer in which nothing is active, whatever a passage made the model write."""

import re

# Innermost first, so that an image that is a link goes with it.
_INLINE = re.compile(
    r"!?\[([^\[\]]*)\]\(\s*(?:<[^<>\n]*>|(?:[^()\s<]|\((?:[^()\s]|\([^()\s]*\))*\))*)"
    r"(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)"
)
_IMAGE = re.compile(r"!\[([^\]]*)\]\[[^\]]*\]")
_DEFINED = re.compile(r"^[ ]{0,3}\[[^\]\n]+\]:[ \t]*\S+.*$", re.MULTILINE)
_DEFINES = re.compile(r"^([ \t>*+\-\d.)]*\[[^\]]+\]):", re.MULTILINE)
_TAG = re.compile(r"<[a-z/!?][^>]*>", re.IGNORECASE)
_OPENS = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)


def inactive(text: str) -> str:
    """Links and images as the words that they stand under; what is left that could still be read as one, or as the
    beginning of a tag, is broken up."""
    for pattern, instead in ((_INLINE, r"\1"), (_IMAGE, r"\1"), (_DEFINED, ""), (_TAG, "")):
        before = None
        while before != text:
            before, text = text, pattern.sub(instead, text)
    text = _DEFINES.sub(r"\1 :", text).replace("](", "] (")
    return _OPENS.sub("< ", text)
