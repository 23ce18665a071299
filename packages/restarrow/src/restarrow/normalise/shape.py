"""What the keys of the rows seen so far held: the knowledge that lets bytes be read as columns."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Shape:
    """What was seen at one place of the JSON.

    Attributes:
        kinds: the Python types of the values.
        fields: what was seen in objects, by key.
        item: what was seen in lists.
    """

    kinds: set[type] = field(default_factory=set[type])
    fields: dict[str, Shape] = field(default_factory=dict[str, "Shape"])
    item: Shape | None = None

    def member(self, key: str, kinds: set[type]) -> Shape:
        """Return the shape of a key's values, having noted their types."""
        member = self.fields.get(key)
        if member is None:
            member = self.fields[key] = Shape()
        member.kinds |= kinds
        return member

    def items(self) -> Shape:
        """Return the shape of the items of lists."""
        if self.item is None:
            self.item = Shape()
        return self.item

    def depth(self) -> int:
        """Return how many levels of objects and lists there are, or a few more."""
        depth, level = 0, [self]
        while level:
            depth += 1
            level = [inner for shape in level for inner in shape.within()]
        return depth

    def within(self) -> list[Shape]:
        """Return the shapes of what was seen in objects and lists, bar plain values."""
        held = [*self.fields.values(), *([self.item] if self.item else [])]
        return [each for each in held if each.fields or each.item]
