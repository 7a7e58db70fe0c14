"""Wrong answers that models really give, made from a right one."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from taskkit.testing.script import BreakStream, Cut, Drop, Fail, Refuse, Reply, Say

INVENTED = "Nobody ever wrote this sentence."


def adversarial(
    right: Mapping[str, Any],
    *,
    item_field: str | None = None,
    quote_field: str | None = None,
    tool_field: str | None = None,
    example: Mapping[str, Any] | None = None,
) -> dict[str, list[Reply]]:
    """Scripts by name: each goes wrong once in a known way, then gives the right answer.

        for name, script in adversarial({"items": [{"id": 1}, {"id": 2}]}, item_field="items").items():
            with ScriptedServer(script) as server: ...

    `item_field` names the list (or the object, keyed by id) in which items go missing, are merged, added and
    reordered; `quote_field` the property whose text is to be found in the source; `tool_field` the one that names
    a tool; `example` is a few-shot example's answer, which leaks. Cases without their field are left out."""
    whole = json.dumps(right, ensure_ascii=False)
    half = len(whole) // 2
    wrong: dict[str, Reply] = {
        "prose-around": f"Sure! Here is the answer you asked for:\n\n{whole}\n\nLet me know if you need anything else.",
        "code-fence": f"```json\n{json.dumps(right, ensure_ascii=False, indent=2)}\n```",
        "schema-echo": {"type": "object", "properties": dict(right), "required": list(right)},
        "finish-length": Cut(whole, half),
        "empty": "",
        "empty-at-length": Say("", finish="length"),
        "refusal": Refuse(),
        "wrong-types": _wrong_types(right),
        "not-json": "I would rather explain it in words: the answer is complicated.",
        "half-json": whole[:half],
        "repetition-loop": Say(whole[:half] + " and so on" * 400, finish="length"),
        "429": Fail(429, "Rate limit reached.", "rate_limit_exceeded", headers={"retry-after-ms": "10"}),
        "500": Fail(500, "The server had an error.", headers={"retry-after-ms": "10"}),
        "dropped": Drop(),
        "broken-stream": BreakStream(whole, half),
        "stream-without-end": BreakStream(whole, half, "end"),
        "stream-error": BreakStream(whole, half, "error"),
    }
    if quote_field is not None:
        wrong["invented-quote"] = _replaced(right, quote_field, INVENTED)
    if tool_field is not None:
        wrong["unknown-tool"] = _replaced(right, tool_field, "no_such_tool")
    if example is not None:
        wrong["example-leaked"] = dict(example)
    if item_field is not None:
        wrong |= {name: {**right, item_field: items} for name, items in _items(right[item_field], tool_field)}
    return {name: [reply, dict(right)] for name, reply in wrong.items()}


def _items(items: Any, tool_field: str | None) -> Iterator[tuple[str, Any]]:
    pairs = list(items.items()) if isinstance(items, Mapping) else [(None, one) for one in items]
    rebuilt: Callable[[list[tuple[Any, Any]]], Any] = (
        dict if isinstance(items, Mapping) else lambda rows: [item for _, item in rows]
    )
    if not pairs:
        return
    middle = len(pairs) // 2
    yield "item-missing", rebuilt(pairs[:middle] + pairs[middle + 1 :])
    key, last = pairs[-1]
    yield "item-extra", rebuilt([*pairs, (f"{key}x", _renamed(last))])
    if tool_field is not None:
        yield "two-tools", rebuilt([*pairs, (f"{key}x", last)])
    if len(pairs) > 1:
        yield "items-reordered", rebuilt(pairs[::-1])
        (key, first), (_, second) = pairs[:2]
        yield "items-merged", rebuilt([(key, _merged(first, second)), *pairs[2:]])


def _renamed(item: Any) -> Any:
    """The like of an item under an id that nobody asked for."""
    if not isinstance(item, Mapping):
        return item
    changed = dict(item)
    for name, value in item.items():
        if name in {"id", "key", "index", "number", "name"}:
            changed[name] = value + 1000 if isinstance(value, int) else f"{value}x"
    return changed


def _merged(first: Any, second: Any) -> Any:
    """Two items in one: the texts run together, everything else is the first's."""
    if isinstance(first, str) and isinstance(second, str):
        return f"{first} {second}"
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        texts = {k: v for k, v in first.items() if isinstance(v, str) and k not in {"id", "key", "name"}}
        return {**first, **{k: f"{v} {second.get(k, '')}".strip() for k, v in texts.items()}}
    return first


def _wrong_types(right: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers as text; in an answer without numbers the first value is wrapped in a list."""
    changed: dict[str, Any] = _stringly(right)
    if changed == dict(right) and right:
        name = next(iter(right))
        changed[name] = [right[name]]
    return changed


def _stringly(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _stringly(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_stringly(one) for one in value]
    return json.dumps(value) if isinstance(value, int | float) else value


def _replaced(value: Any, name: str, new: str) -> Any:
    if isinstance(value, Mapping):
        return {key: new if key == name else _replaced(one, name, new) for key, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, name, new) for one in value]
    return value
