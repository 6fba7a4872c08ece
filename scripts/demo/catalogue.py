"""The database behind the cache: a product catalogue in SQLite, the same rows on every machine.

    category(id, parent_id, name)
    product(id, sku, name, brand, category_id, price_cents, stock, description)
    review(product_id, rating, author, text)

Everything about a product follows from its number, so that a run can be repeated.
"""

from __future__ import annotations

import html
import random
import sqlite3
from typing import TYPE_CHECKING

from support.traces import key_of, size_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Catalogue", "build_catalogue"]

_SCHEMA = """
CREATE TABLE category (id INTEGER PRIMARY KEY, parent_id INTEGER, name TEXT NOT NULL);
CREATE TABLE product (
    id INTEGER PRIMARY KEY, sku TEXT NOT NULL, name TEXT NOT NULL, brand TEXT NOT NULL,
    category_id INTEGER NOT NULL REFERENCES category, price_cents INTEGER NOT NULL,
    stock INTEGER NOT NULL, description TEXT NOT NULL
);
CREATE TABLE review (
    product_id INTEGER NOT NULL REFERENCES product, rating INTEGER NOT NULL,
    author TEXT NOT NULL, text TEXT NOT NULL
);
"""
_INDEXES = """
CREATE INDEX product_by_category ON product (category_id, price_cents);
CREATE INDEX review_by_product ON review (product_id, rating);
"""

_DEPARTMENTS = {
    "Kitchen": ("Kettles", "Pans", "Knives", "Scales", "Toasters", "Jars"),
    "Garden": ("Shears", "Hoses", "Planters", "Lamps", "Benches", "Seeds"),
    "Office": ("Chairs", "Desks", "Lamps", "Shelves", "Pens", "Paper"),
    "Outdoor": ("Tents", "Backpacks", "Stoves", "Bottles", "Boots", "Maps"),
    "Music": ("Guitars", "Strings", "Stands", "Cables", "Drums", "Tuners"),
    "Workshop": ("Drills", "Saws", "Clamps", "Vices", "Gloves", "Boxes"),
}
_BRANDS = ("Alder", "Brook", "Corvus", "Dovetail", "Elmwood", "Fjord", "Granite", "Harbour")
_ADJECTIVES = ("compact", "sturdy", "quiet", "light", "classic", "folding", "heavy-duty", "slim")
_MATERIALS = ("oak", "steel", "linen", "glass", "cork", "copper", "canvas", "ceramic")
_AUTHORS = ("Ada", "Blaise", "Carl", "Emmy", "Grace", "Hedy", "Kurt", "Sofia")
_VERDICTS = (
    "Does what it says.",
    "Better than the one it replaced.",
    "Arrived quickly; well packed.",
    "Good, though the manual is thin.",
    "Would buy it again.",
    "Returned it: too small for us.",
)
_PHRASES = (
    "made for every day",
    "and for years of it",
    "with a finish that ages well",
    "parts that can be replaced",
    "and a shape that fits the hand",
    "easy to clean",
    "simple to store",
    "tested in our own workshop",
    "delivered assembled",
    "with a guarantee of five years",
)
_MEAN_PHRASE_BYTES = sum(map(len, _PHRASES)) // len(_PHRASES) + len(", ")
_LARGEST_REVIEW_COUNT = 4


def build_catalogue(path: Path, numbers: Iterable[int]) -> tuple[int, int]:
    """Write the database.

    :param path: where; must not exist
    :param numbers: the products' numbers
    :return: how many products and how many reviews it holds
    """
    with sqlite3.connect(path) as connection:
        # a database that can be built again at any time needs no journal
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(_SCHEMA)
        shelves = list(_write_categories(connection))
        reviews: list[tuple[int, int, str, str]] = []
        products = [_product(number, shelves, reviews) for number in sorted(set(numbers))]
        connection.executemany("INSERT INTO product VALUES (?,?,?,?,?,?,?,?)", products)
        connection.executemany("INSERT INTO review VALUES (?,?,?,?)", reviews)
        connection.executescript(_INDEXES)
    connection.close()
    return len(products), len(reviews)


def _write_categories(connection: sqlite3.Connection) -> Iterator[tuple[int, str]]:
    """Write the departments and their shelves; give each shelf's number and name."""
    number = 0
    for department, shelves in _DEPARTMENTS.items():
        number += 1
        parent = number
        connection.execute("INSERT INTO category VALUES (?, NULL, ?)", (parent, department))
        for shelf in shelves:
            number += 1
            connection.execute("INSERT INTO category VALUES (?, ?, ?)", (number, parent, shelf))
            yield number, shelf


def _product(
    number: int, shelves: list[tuple[int, str]], reviews: list[tuple[int, int, str, str]]
) -> tuple[int, str, str, str, int, int, int, str]:
    """One product's row; its reviews are appended to `reviews`."""
    source = random.Random(number)
    category, shelf = source.choice(shelves)
    adjective, material = source.choice(_ADJECTIVES), source.choice(_MATERIALS)
    brand = source.choice(_BRANDS)
    name = f"{adjective} {material} {shelf.lower().removesuffix('s')}".capitalize()
    for _ in range(source.randint(0, _LARGEST_REVIEW_COUNT)):
        rating = min(5, source.randint(2, 6))
        reviews.append((number, rating, source.choice(_AUTHORS), source.choice(_VERDICTS)))
    phrases = source.choices(_PHRASES, k=1 + size_of(key_of(number)) // _MEAN_PHRASE_BYTES)
    sku = f"{brand[:2].upper()}-{number:09d}"
    price = source.randint(3, 250) * 100 - 1
    return number, sku, name, brand, category, price, source.randint(0, 90), ", ".join(phrases)


class Catalogue:
    """A read-only connection, and the pages made from it."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self._connection.row_factory = sqlite3.Row

    def product_page(self, number: int) -> bytes | None:
        """Query and render a product's page: the work that the cache saves.

        :return: HTML, None when there is no such product
        """
        query = self._connection.execute
        product = query(
            "SELECT product.*, shelf.name AS shelf, department.name AS department FROM product "
            "JOIN category AS shelf ON shelf.id = category_id "
            "JOIN category AS department ON department.id = shelf.parent_id WHERE product.id = ?",
            (number,),
        ).fetchone()
        if product is None:
            return None
        reviews = query(
            "SELECT rating, author, text FROM review WHERE product_id = ? ORDER BY rating DESC",
            (number,),
        ).fetchall()
        similar = query(
            "SELECT id, name, price_cents FROM product "
            "WHERE category_id = ? AND price_cents BETWEEN ? AND ? AND id != ? "
            "ORDER BY abs(price_cents - ?) LIMIT 4",
            (
                product["category_id"],
                product["price_cents"] * 4 // 5,
                product["price_cents"] * 5 // 4,
                number,
                product["price_cents"],
            ),
        ).fetchall()
        return _render(product, reviews, similar).encode()


def _price(cents: int) -> str:
    return f"€{cents // 100}.{cents % 100:02d}"


def _render(product: sqlite3.Row, reviews: list[sqlite3.Row], similar: list[sqlite3.Row]) -> str:
    text = html.escape
    stars = sum(row["rating"] for row in reviews) / len(reviews) if reviews else 0
    opinions = "".join(
        f"<li>{'★' * row['rating']} {text(row['text'])} <i>{text(row['author'])}</i></li>"
        for row in reviews
    )
    others = "".join(
        f'<li><a href="/product/{row["id"]}">{text(row["name"])}</a>'
        f" {_price(row['price_cents'])}</li>"
        for row in similar
    )
    name = text(product["name"])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" '
        f'content="light dark"><title>{name}</title><style>body{{font:16px/1.5 system-ui;'
        "max-width:42rem;margin:3rem auto;padding:0 1rem}</style>"
        f"<p>{text(product['department'])} / {text(product['shelf'])}</p><h1>{name}</h1>"
        f"<p>{text(product['brand'])} · {product['sku']} · <b>{_price(product['price_cents'])}</b>"
        f" · {product['stock']} in stock · {stars:.1f} of 5</p>"
        f"<p>{text(product['description'].capitalize())}.</p>"
        f"<h2>Reviews</h2><ul>{opinions}</ul><h2>Similar</h2><ul>{others}</ul></html>"
    )
