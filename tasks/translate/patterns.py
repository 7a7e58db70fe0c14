"""What must come through a translation unchanged, as regular expressions.

Every repetition here either stops at its own opening mark or can not give back what it took, so that a hostile
text of n characters costs about n steps, never n².
"""

import re
from functools import lru_cache

PLACEHOLDERS = r"""
    \$?\{\{\{?[^{}\n]*+\}\}\}?                                  # {{ name }}, {{{ raw }}}, {{< shortcode >}}, ${{ x }}
  | \{%[^{}\n]*+\} | \{\*[^{}\n]*+\} | \{\#[^{}\n]*+\}          # {% tag %}, {* include *}, {# comment #}, { #anchor }
  | \{:[^{}\n]*+\} | \{[ ]?[.\#][^{}\n]*+\}                     # {: .class }, { #anchor }
  | [$%\#]\{[^{}\n]*+\}                                         # ${VAR}, %{name}, #{name}
  | \{[ ]?\$?[\w.\[\]-]*+(?:![rsa])?(?::[^{}\s]*+)?[ ]?\}       # {}, {name}, {0:.2f}, { $name }
  | \{\s*+[\w.-]++\s*+,\s*+(?:plural|select|selectordinal)\s*+,                  # a choice that its format does not
    (?:[^{}]++|\{(?:[^{}]++|\{(?:[^{}]++|\{[^{}]*+\})*+\})*+\})*+\}             # take apart, whole
  | \{[ ]?\w++,[ ]?(?:number|date|time|ordinal|duration|spellout)\b[^{}\n]*+\}
  | (?<!\d)%\(\w++\)[#0+ -]*+\d*+(?:\.\d++)?[diouxXeEfFgGcrsa]  # %(name)s
  | (?<!\d)%\d++\$[#0+-]?\d*+(?:\.\d++)?(?:hh?|ll?|[jztqL])?+[diouxXeEfFgGcsa@]
  | (?<!\d)%(?:[#0+',-]++\d*+|\d++)(?:\.\d++)?(?:hh?|ll?|[jztqL])?+[diouxXeEfFgGcs]
  | (?<!\d)%(?:\.\d++|\.?\*)?(?:hh?|ll?|[jztqL])?+[diouxXeEfFgGcspr@](?![a-z])  # %s, %ld, %.2f
  | (?<![\d%])%[A-Za-z_]\w*+%(?!\w) | %%
  | \{\\[^{}\n]*+\}                                             # {\an8}
  | (?<![\w$])\$[A-Z_][A-Z0-9_]++(?![a-z])                        # $HOME
"""
_PLACEHOLDERS = re.compile(PLACEHOLDERS, re.VERBOSE)
CHOICE = re.compile(r"\{\s*[\w.-]+\s*,\s*(?:plural|select|selectordinal)\s*,")
ADDRESSES = r"""
    (?<![A-Za-z0-9_])(?:(?:https?|ftps?|file|ssh|git|wss?)://|www\.(?=\w))
    (?P<address>[^\s<>"`\\|{}\[\]\u3000-\u9fff\uff00-\uffef]++)
  | (?<![A-Za-z0-9_])(?:mailto:|tel:)[A-Za-z0-9_.@+%?=&-]++
  | (?<![A-Za-z0-9_.+-])[A-Za-z0-9_.+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++
"""
MARKUP = r"""
    <!--(?:[^<-]|-(?!->)|<(?!!--))*+-->
  | <(?P<raw>code|kbd|samp|var|script|style|pre|tt)\b[^<>]*+>[^<]*+</(?P=raw)\s*+>
  | <\d\d:[\d:.]++>
  | </?[A-Za-z][\w:.-]*+(?:\s(?:[^<>"']|"[^"<]*+"|'[^'<]*+'|["'])*+)?/?>
  | <[A-Za-z][A-Za-z0-9+.-]{1,31}:[^<>\s]*+> | <[\w.+-]++@[\w.-]++>
  | <\?[^<>]*+> | <![A-Z][^<>]*+> | <%[^%<\n]*+%>
  | &(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});
"""
MARKDOWN = r"""
    (?<!\w)\w++(?:\\_\w++)++                                    # a\_snake\_case\_name
  | (?:(?<![ ])[ ]{2,}+|\\)(?:\r\n?|\n)[ \t>]*+                 # a line break on purpose
  | \\[!-/:-@\[-`{-~]
  | (?P<ticks>`++)
  | \[\^[^\]\s\[]++\]
  | \[\[[^\[\]\n]++\]\](?!\()
  | \$\$[^$]++\$\$
  | (?<![\w$])\$(?=[^\s$])(?=[^$\n]{0,200}[\\^_={}]|[A-Za-z]{1,2}\$)[^$\n]++(?<!\s)\$(?![\w$])
  | (?P<open>!?\[)
  | (?P<close>\])
"""
# What only the texts of programs have: i18next and Vue links to other texts, a browser extension's and Laravel's names,
# React's numbered tags, Qt's numbers, and the parts of a date as strftime has them.
PROGRAM = r"""
    \$t\([^()\n]*+\) | @:(?:\([\w.-]++\)|[\w-]++(?:\.[\w-]++)*+) | \$\w++\$ | \$\d(?!\d) | %<\w++>[-+0 \#]*+\d*+(?:\.\d++)?[a-zA-Z]
  | (?<![\w:/.@]):[a-z_]\w++(?![\w:])
  | </?\d{1,3}[ ]?/?> | (?<![\d%])%L?\d{1,2}+%?(?![\w$]|\.\d) | (?<![\d%])%[_^-]?[aAbBHIjklmMnpPStUVwWyYzZ](?![A-Za-z%])
"""
ACCELERATOR = re.compile(r"&(?=\w)(?!#?\w+;)|(?<![\w_])_(?=[^\W_])|(?<=\w)_(?=[^\W_]+(?:[^\w_]|\Z))")
SOFT_BREAK = r"(?P<soft>(?<![ \t])[ \t]*+(?:\r\n?|\n)[ \t>]*+)"
HARD_BREAK = r"[ \t]*+(?:\r\n?|\n)(?:[ \t]*+(?:\r\n?|\n))*+[ \t]*+"
_NESTED = r"\((?:[^\s()\\]|\\.)*+\)"
TARGET = re.compile(
    rf"""\(\s*+(?P<target><[^<>\n]*+>|(?:[^\s()<\\]|\\.|{_NESTED})(?:[^\s()\\]|\\.|{_NESTED})*+|)
    (?:\s++(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\)))?\s*+\)""",
    re.VERBOSE | re.DOTALL,
)
LABEL = re.compile(r"\[(?P<label>(?:[^\[\]\\]|\\.)*+)\]", re.DOTALL)
# Placeholders that are filled in the order they stand in, so that two of them must not change places.
IN_ORDER = re.compile(r"\{\}|%(?![%(])[^\s%$@A-Za-z]*+(?:hh?|ll?|[jztqL])?+[diouxXeEfFgGcsr@](?!\w)")
# Placeholders that say themselves what they stand for: another order is right in some languages, and worth a look.
NUMBERED = re.compile(r"\{\d+\}|%\d+\$[a-z@]+|\$\d|%\d(?!\d)")
# What a plural form may leave out, since it says the number itself: `#`, `%d`, `%(count)d`, `{count}`, `{{ n }}`.
COUNT = re.compile(
    r"#|%(?:\(\w+\)|\d+\$)?(?:hh?|ll?|[jztqL])?+[diu]|[%$]?\{{1,2}\s*(?:\d+|n|\w*(?:count|num|number|total|amount|quantity))\s*\}{1,2}"
)
TAG = re.compile(r"<(?P<slash>/?)(?P<name>[A-Za-z][\w-]*+(?=[\s/>])|\d{1,3}+(?=[ ]?/?>))[^<>]*?(?P<void>/?)>")


def placeholders(text: str) -> list[str]:
    return [match[0] for match in _PLACEHOLDERS.finditer(text)]


@lru_cache(maxsize=64)
def scanner(form: str, keep: tuple[str, ...] = ()) -> re.Pattern[str]:
    """One alternation of the strings in `keep` and all of the above, the earliest match first.

    In a `string` every line end is kept. The groups that need more than "keep it" are named: address, ticks, open, close, soft."""
    parts = [*([_terms(keep)] if any(keep) else []), *([MARKDOWN] if form == "markdown" else [])]
    parts += [PROGRAM] if form == "string" else []
    ends = [r"(?P<soft>(?!))", HARD_BREAK] if form == "string" else [SOFT_BREAK]
    return re.compile("|".join([*parts, PLACEHOLDERS, ADDRESSES, MARKUP, *ends]), re.VERBOSE)


def _terms(keep: tuple[str, ...]) -> str:
    def whole(term: str) -> str:
        before = r"(?<!\w)" if term[0].isalnum() else ""
        after = r"(?!\w)" if term[-1].isalnum() else r"(?![(\[])" if term[-1] == "]" else ""
        return before + re.escape(term) + after

    return "(?:" + "|".join(whole(term) for term in sorted(filter(None, keep), key=len, reverse=True)) + ")"
