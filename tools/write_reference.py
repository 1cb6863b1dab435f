"""Write the generated references: JSON schemas of what ``--json`` prints, one page for each rule, and the facts.

``python -m tools.write_reference`` writes them; the tests compare them with what it would write.
"""

from __future__ import annotations

import json
from pathlib import Path

from kvmnb.advise.registry import rules
from kvmnb.terminal import myths
from kvmnb.terminal.documents import DOCUMENTS, schema_of
from kvmnb.terminal.rules import as_markdown
from tools.aims_index import aims_index
from tools.diagnosis_reference import diagnosis_page
from tools.facts_reference import facts_page
from tools.metrics_reference import metrics_page
from tools.rules_index import rules_index

DOCS = Path(__file__).resolve().parents[1] / "docs"


def references() -> dict[str, str]:
    """Each generated file below ``docs``, and its text."""
    texts = {
        f"schemas/{verb}.json": json.dumps(schema_of(verb), indent=2, sort_keys=True) + "\n"
        for verb in (*DOCUMENTS, "plan")
    }
    texts["facts.md"] = facts_page()
    texts["metrics.md"] = metrics_page()
    for rule in rules():
        texts[f"rules/{rule.id}.md"] = as_markdown(rule)
    texts["rules/README.md"] = f"{rules_index()}\n{aims_index()}"
    texts["myths.md"] = myths.page()
    texts["diagnosis.md"] = diagnosis_page()
    return texts


def main() -> None:
    """Write all of them, and remove pages of rules that are gone."""
    texts = references()
    for folder in ("schemas", "rules"):
        (DOCS / folder).mkdir(parents=True, exist_ok=True)
        for path in (DOCS / folder).iterdir():
            if f"{folder}/{path.name}" not in texts:
                path.unlink()
    for name, text in texts.items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
