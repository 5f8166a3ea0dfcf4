"""The README's table of settings is the one that the code has."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from readingroom.settings import Settings

README = Path(__file__).parents[2] / "README.md"


def default_of(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr) or value in ("", None, (), {}) or field.is_required():
        return ""
    return f"`{value}`"


def table() -> list[str]:
    rows = ["| variable | default | what it is |", "| --- | --- | --- |"]
    for field in Settings.model_fields.values():
        rows.append(f"| `{field.alias}` | {default_of(field)} | {field.description} |")
    return rows


def test_every_setting_has_a_variable_and_a_sentence() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.alias or not field.description] == []


def test_the_readme_tells_every_setting_as_the_code_has_it() -> None:
    told = README.read_text().splitlines()
    missing = [row for row in table() if row not in told]
    assert missing == [], "put these rows into README.md:\n" + "\n".join(missing)
