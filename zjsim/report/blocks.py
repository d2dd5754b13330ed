"""What a document is made of, before it is a memo or a page: headings, paragraphs, tables and figures in order."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 (一、), 2 (（一）) or 3 (1.)."""

    level: int
    words: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; ``lead`` are its first words, set apart."""

    words: str
    lead: str = ""


@dataclass(frozen=True)
class Item(Paragraph):
    """A numbered item: （1） in a memo, an entry of a list on a page."""


@dataclass(frozen=True)
class Grid:
    """A table: title, headings, rows of text, relative widths of the columns, and which columns hold numbers.

    ``table`` is the table of the run that its numbers stand in.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    numeric: tuple[bool, ...]
    table: str
    tints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure of the run by the name of its files, with its caption."""

    name: str
    title: str


Block = Heading | Paragraph | Grid | Figure


@dataclass
class Story:
    """A document: title, subject and blocks in order; ``label`` stands on every page, ``share`` says how much it means.

    ``headline`` are the numbers of the conclusion as they are said, by what they count.
    """

    title: str
    subject: str
    label: str
    blocks: list[Block] = field(default_factory=list)
    headline: dict[str, str] = field(default_factory=dict)

    def grids(self) -> int:
        """How many tables there are so far."""
        return sum(isinstance(b, Grid) for b in self.blocks)
