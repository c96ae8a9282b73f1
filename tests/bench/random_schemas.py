"""Random JSON schemas of the kinds clients send, and prompts that ask for a value of one."""

import random
from typing import Any

Schema = dict[str, Any]

_NAMES = (
    "name", "path", "kind", "line", "count", "tags", "title", "author", "price", "is_done", "items", "parent", "email",
    "created", "status", "size", "language", "version", "notes", "score", "user id", "größe", "a-b", "x",
)  # fmt: skip
_TOPICS = ("a book", "a bug report", "a commit", "a function", "a person", "a recipe", "a file", "a city", "an order")
_FORMS = ("Describe {topic} as JSON.", "Fill in the fields for {topic}.", "Write {topic}.", "{topic}", "Return JSON!")
_PATTERNS = ("^[a-z]{2,8}$", "^[A-Z]{3}-[0-9]{1,4}$", "^(red|green|blue)$", r"^v\d{1,3}\.\d{1,3}$", "^[^<>&\n]{1,12}$")
"""None forbids quotes or backslashes by a negated class: llguidance 1.9.1 then lets their escaped forms pass."""
_FORMATS = ("date", "time", "date-time", "uuid", "ipv4")
_WORDS = ("low", "high", "open", "closed", "a b", 'quo"te', "ünï", "", "42", "null")


class SchemaMaker:
    """Makes schemas whose values are of bounded length, so that a model can end one in a few hundred tokens."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def make(self) -> Schema:
        """A schema of an object, now and then with definitions."""
        schema = self._object(depth=self._random.choice((1, 1, 2, 2, 3)))
        if self._random.random() < 0.15:
            node = {"type": "object", "properties": {"value": {"$ref": "#/$defs/leaf"}}, "required": ["value"]}
            schema["$defs"] = {"node": node | {"additionalProperties": False}, "leaf": self._scalar()}
            schema["properties"]["first"] = schema["properties"]["second"] = {"$ref": "#/$defs/node"}
        return schema

    def prompt(self) -> str:
        return self._random.choice(_FORMS).format(topic=self._random.choice(_TOPICS))

    def _any(self, depth: int) -> Schema:
        if depth <= 0 or self._random.random() < 0.55:
            return self._scalar()
        return self._random.choice((self._object, self._array, self._choice))(depth)

    def _object(self, depth: int) -> Schema:
        names = self._random.sample(_NAMES, self._random.randint(1, 5))
        required = [name for name in names if self._random.random() < 0.7]
        properties = {name: self._any(depth - 1) for name in names}
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def _array(self, depth: int) -> Schema:
        least = self._random.randint(0, 2)
        return {"type": "array", "items": self._any(depth - 1), "minItems": least, "maxItems": least + 2}

    def _choice(self, depth: int) -> Schema:
        return {"anyOf": [self._any(depth - 1), self._scalar(), {"type": "null"}]}

    def _scalar(self) -> Schema:
        return self._random.choice((self._string, self._integer, self._number, self._enum, self._constant))()

    def _string(self) -> Schema:
        match self._random.randrange(4):
            case 0:
                return {"type": "string", "pattern": self._random.choice(_PATTERNS)}
            case 1:
                return {"type": "string", "format": self._random.choice(_FORMATS)}
            case _:
                least = self._random.randint(0, 4)
                return {"type": "string", "minLength": least, "maxLength": least + self._random.randint(0, 30)}

    def _integer(self) -> Schema:
        least = self._random.randint(-1000, 1000)
        return {"type": "integer", "minimum": least, "maximum": least + self._random.randint(0, 5000)}

    def _number(self) -> Schema:
        return {"type": "number", "minimum": 0, "maximum": self._random.choice((1, 99.5)), "multipleOf": 0.25}

    def _enum(self) -> Schema:
        return {"enum": self._random.sample(_WORDS, 3) + self._random.sample([None, True, 1, 2.5], 1)}

    def _constant(self) -> Schema:
        return self._random.choice(({"type": "boolean"}, {"type": "null"}, {"const": "fixed"}, {"const": 7}))
