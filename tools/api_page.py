"""The page docs/reference/api.md: the data plane's own OpenAPI document, in words, with calls that were really made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from holdfast.edges.dataplane.openapi import document
from holdfast.edges.dataplane.types import MOST_BODY_BYTES, MOST_FEED_BYTES, MOST_FIELDS

EXAMPLES = Path(__file__).parents[1] / "docs" / "reference" / "api-examples.json"
INTRODUCTION = Path(__file__).with_name("api_introduction.md").read_text()
LIMITS = f"""## Limits

| | at most |
|---|---|
| body | {MOST_BODY_BYTES // 1024} KiB |
| body of a feed | {MOST_FEED_BYTES // 1024 // 1024} MiB, 1,000 lines of 8 KiB |
| fields, values or answers in one request | {MOST_FIELDS} |
| one value | 2,048 characters, no control characters |
| id | 128 letters, digits and `. _ : @ / + -` |
| name of a field or collection | 64 lower-case letters, digits and `_` |
| header `Idempotency-Key` | 128 visible ASCII characters |

What a person may do in an hour or day is limited by the contract's [budgets](contract.md). Unknown keys are refused.
"""
_TITLES: Final = {
    200: "granted",
    401: "not authenticated",
    403: "refused",
    404: "not found",
    409: "not now, or not again",
    422: "every line refused",
}
DEEPEST: Final = 2  # of objects in objects; the examples show the rest
Schema = dict[str, Any]


def page() -> str:
    """The whole page."""
    described = json.loads(document())
    kinds: dict[str, Schema] = described["components"]["schemas"]
    examples = json.loads(EXAMPLES.read_text()) if EXAMPLES.exists() else {}
    parts = [INTRODUCTION, LIMITS]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            parts.append(f"\n## {method.upper()} {path}\n\n{operation['summary']}.\n")
            parts.append(_bodies(operation, kinds))
            own = f"{method.upper()} "
            shown = [
                one for one in examples.get(path, ()) if one["request"]["line"].startswith(own)
            ]
            parts.extend(map(_example, shown))
    return "".join(parts).rstrip("\n") + "\n"


def _bodies(operation: Schema, kinds: dict[str, Schema]) -> str:
    text = ""
    asked = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "$ref" in asked.get("schema", {}):
        text += _table("asked", kinds[_name(asked["schema"])], kinds)
    for media in operation["responses"]["200"]["content"].values():
        if "$ref" in media["schema"]:
            text += _table("answered", kinds[_name(media["schema"])], kinds)
    refusals = ", ".join(status for status in sorted(operation["responses"]) if status != "200")
    return text + (f"\nOther statuses: {refusals}.\n" if refusals else "")


def _table(title: str, kind: Schema, kinds: dict[str, Schema]) -> str:
    needed = set(kind.get("required", ()))
    rows = [
        f"| `{key}`{'' if key in needed or title == 'answered' else ' (optional)'} | {_form(schema, kinds)} |"
        for key, schema in kind["properties"].items()
    ]
    return f"\n| {title} | |\n|---|---|\n" + "\n".join(rows) + "\n"


def _form(schema: Schema, kinds: dict[str, Schema], depth: int = 0) -> str:
    if "$ref" in schema:
        kind = kinds[_name(schema)]
        if "enum" in kind:
            return _form(kind, kinds)
        return _keys(kind, kinds, depth) if depth < DEEPEST else "object"
    if "anyOf" in schema:
        forms = [_form(one, kinds, depth) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(forms)
    if "enum" in schema:
        return " · ".join(f"`{one}`" for one in schema["enum"])
    return _plain(schema, kinds, depth)


def _plain(schema: Schema, kinds: dict[str, Schema], depth: int) -> str:
    match schema.get("type"):
        case "array":
            items = _form(schema.get("items") or {}, kinds, depth)
            return f"list{_range(schema, 'Items', '')}: {items}"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            inner = _form(schema["additionalProperties"], kinds, depth + 1)
            return f"object{_range(schema, 'Properties', ' names')}: {inner}"
        case str() as name:
            return f"{name}{_range(schema, 'Length', ' characters')}"
    return "any"


def _keys(kind: Schema, kinds: dict[str, Schema], depth: int) -> str:
    inner = (
        f"`{key}` ({_form(schema, kinds, depth + 1)})" for key, schema in kind["properties"].items()
    )
    return "{" + ", ".join(inner) + "}"


def _range(schema: Schema, what: str, unit: str) -> str:
    least, most = schema.get(f"min{what}", 0), schema.get(f"max{what}")
    if most is None:
        return ""
    return f" of {most}{unit}" if least == most else f" of {least} to {most}{unit}"


def _name(reference: Schema) -> str:
    name: str = reference["$ref"].rsplit("/", 1)[-1]
    return name


def _example(shown: dict[str, Any]) -> str:
    asked = shown["request"]
    lines = [asked["line"], *(f"{name}: {value}" for name, value in asked["headers"].items())]
    if asked["body"] is not None:
        lines += ["", json.dumps(asked["body"], ensure_ascii=False)]
    answer = shown["answer"]
    kind = "text" if isinstance(answer, str) else "json"
    told = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, indent=1)
    title = f"{shown['status']}, {_TITLES[shown['status']]}"
    request = "\n".join(lines)
    return f"\n```http\n{request}\n```\n\n{title}:\n\n```{kind}\n{told}\n```\n"
