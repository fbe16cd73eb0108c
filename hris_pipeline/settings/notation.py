"""The notation of a company file: YAML's safe subset, without its traps."""

from collections.abc import Hashable
from typing import Any

import yaml

from hris_pipeline.errors import SettingsError


class Loader(yaml.SafeLoader):
    """YAML's safe subset, where a key that is there twice, or is no text, is a mistake and not
    silently the last one.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.mistakes: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The keys of one mapping, each once."""
        seen: dict[object, int] = {}
        kept = []
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == "tag:yaml.org,2002:merge":
                kept.append((key, value))
            elif key.tag != "tag:yaml.org,2002:str":
                self.mistakes.append(f"line {line}: a key must be plain text. Put it in quotes.")
            elif key.value in seen:
                self.mistakes.append(
                    f"line {line}: {key.value} is already in line {seen[key.value]}. Keep one of "
                    "them."
                )
            else:
                seen[key.value] = line
                kept.append((key, value))
        node.value = kept
        for key, value in kept:  # words for nothing are words: NULL is no null there
            if key.value == "empty" and isinstance(value, yaml.SequenceNode):
                for word in value.value:
                    if isinstance(word, yaml.ScalarNode):
                        word.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep=deep)


def parse(text: str) -> tuple[object, list[str]]:
    """The document, and the mistakes in its keys, each of which begins with its line.

    A :class:`SettingsError` that begins with the line where the text is no YAML; it does not quote
    that line.
    """
    try:
        loader = Loader(text)
        try:
            return loader.get_single_data(), loader.mistakes
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        number = mark.line if mark else 0
        line = text.splitlines()[number] if number < len(text.splitlines()) else ""
        hint = "The cause can also lie in the lines above."
        if "\t" in line[: len(line) - len(line.lstrip())]:
            hint = "Indent with spaces, not with tabs."
        elif "${" in line and ("[" in line or "{" in line.replace("${", "")):
            hint = 'Inside [ ] or { } a reference needs quotes: "${NAME}".'
        elif ":" in line:
            hint = (
                "Text that begins with *, &, @, % or a quote, or that holds ': ' or ' #', needs "
                "quotes around it."
            )
        raise SettingsError(f"line {number + 1}: this is not valid YAML. {hint}") from None
    except ValueError:
        raise SettingsError(
            "it holds a day that no calendar has, such as 0000-00-00. Put it in quotes."
        ) from None
    except yaml.YAMLError:
        raise SettingsError(
            "it holds characters that YAML does not allow. Save it as plain UTF-8 text."
        ) from None
