"""What the catalogue is told of the stock (``products.stocking``)."""

from flask import Flask
from sqlalchemy.orm import Session

from stockroom.products.models import Product
from stockroom.products.stocking import bind_stocking
from stockroom.stock import repository
from stockroom.stock.books import Books
from stockroom.stock.models import MAIN, MovementKind
from stockroom.stock.values import Item


class Stocking:
    available = staticmethod(repository.products.available)

    @staticmethod
    def open(session: Session, product: Product, quantity: int) -> None:
        if quantity == 0:
            return
        item = Item(product.id, product.sku, product.status, product.low_stock_threshold)
        books = Books(session, [item], open_at=[(product.id, MAIN)], are_new=True)
        books.move((product.id, MAIN), MovementKind.RECEIVED, quantity)
        books.close()


def init_app(app: Flask) -> None:
    bind_stocking(app.extensions, Stocking())
