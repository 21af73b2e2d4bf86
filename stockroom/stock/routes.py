from typing import Any
from uuid import UUID

from stockroom.core.api import Blueprint
from stockroom.core.callers.identity import Access, caller_may, current_caller
from stockroom.core.http.pages import PageQuery, page_request
from stockroom.core.pagination import Page
from stockroom.core.permissions import Permission
from stockroom.products.errors import ProductNotFound
from stockroom.stock import history as histories
from stockroom.stock import locations, reservations, service
from stockroom.stock.errors import (
    InsufficientStock,
    LocationNotFound,
    LocationTaken,
    ReservationEnded,
    ReservationNotFound,
)
from stockroom.stock.models import Location, Movement, Reservation
from stockroom.stock.schemas import (
    HistoryQuery,
    HistorySchema,
    HoldSchema,
    LocationSchema,
    LowSchema,
    MovementQuery,
    MovementSchema,
    NewLocationSchema,
    NewMovementSchema,
    NewReservationSchema,
    ReservationQuery,
    ReservationSchema,
    StockSchema,
)

blueprint = Blueprint("stock", __name__, url_prefix="", description="What is there, and why.")


@blueprint.get("/products/<uuid:product_id>/stock")
@blueprint.allow(Access.ANYONE)
@blueprint.response(200, StockSchema)
@blueprint.raises(ProductNotFound)
def read_stock(product_id: UUID) -> service.ProductStock:
    """Read how many pieces of a product there are: in all, and by location."""
    return service.stock_of(product_id, to_staff=caller_may(Permission.CATALOGUE_WRITE))


@blueprint.get("/products/<uuid:product_id>/stock/history")
@blueprint.allow(Permission.STOCK_READ)
@blueprint.arguments(HistoryQuery, location="query")
@blueprint.response(200, HistorySchema)
@blueprint.raises(ProductNotFound)
def read_stock_history(query: dict[str, Any], product_id: UUID) -> dict[str, Any]:
    """Read how many pieces were on hand, step by step, by when movements occurred."""
    return {"step": query["step"], "points": histories.history(product_id, **query)}


@blueprint.get("/products/<uuid:product_id>/movements")
@blueprint.allow(Permission.STOCK_READ)
@blueprint.arguments(MovementQuery, location="query")
@blueprint.page(MovementSchema)
@blueprint.raises(ProductNotFound)
def list_movements(query: Any, product_id: UUID) -> Page[Movement]:
    """List the movements of a product, the last recorded first."""
    page = page_request(query)
    return service.list_movements(product_id, query, page)


@blueprint.post("/products/<uuid:product_id>/movements")
@blueprint.allow(Permission.STOCK_WRITE)
@blueprint.idempotent
@blueprint.arguments(NewMovementSchema)
@blueprint.response(201, MovementSchema)
@blueprint.raises(ProductNotFound, InsufficientStock)
def move_stock(new: service.NewMovement, product_id: UUID) -> Movement:
    """Book a movement. Of a transfer, the answer is the one of its two that takes out."""
    return service.move(product_id, new)


@blueprint.get("/stock/low")
@blueprint.allow(Permission.STOCK_READ)
@blueprint.arguments(PageQuery, location="query")
@blueprint.page(LowSchema)
def list_low_stock(query: dict[str, Any]) -> Page[service.Low]:
    """List products of which few pieces are left, by SKU."""
    return service.list_low(page_request(query))


@blueprint.get("/locations")
@blueprint.allow(Permission.STOCK_READ)
@blueprint.arguments(PageQuery, location="query")
@blueprint.page(LocationSchema)
def list_locations(query: dict[str, Any]) -> Page[Location]:
    """List the locations, `main` first."""
    return locations.search(page_request(query))


@blueprint.post("/locations")
@blueprint.allow(Permission.STOCK_WRITE)
@blueprint.idempotent
@blueprint.arguments(NewLocationSchema)
@blueprint.response(201, LocationSchema)
@blueprint.located("read_location", "location_id")
@blueprint.etag
@blueprint.raises(LocationTaken)
def create_location(new: dict[str, str]) -> Location:
    """Add a location."""
    return locations.create(**new)


@blueprint.get("/locations/<uuid:location_id>")
@blueprint.allow(Permission.STOCK_READ)
@blueprint.response(200, LocationSchema)
@blueprint.etag
@blueprint.raises(LocationNotFound)
def read_location(location_id: UUID) -> Location:
    """Read a location."""
    return locations.get(location_id)


@blueprint.get("/reservations")
@blueprint.allow(Permission.RESERVATIONS_WRITE)
@blueprint.arguments(ReservationQuery, location="query")
@blueprint.page(ReservationSchema)
def list_reservations(query: Any) -> Page[Reservation]:
    """List your own reservations, newest first; staff see those of everybody."""
    page = page_request(query)
    return reservations.search(current_caller(), query, page)


@blueprint.post("/reservations")
@blueprint.allow(Permission.RESERVATIONS_WRITE)
@blueprint.idempotent
@blueprint.arguments(NewReservationSchema)
@blueprint.response(201, ReservationSchema)
@blueprint.located("read_reservation", "reservation_id")
@blueprint.etag
@blueprint.raises(InsufficientStock)
def create_reservation(new: dict[str, Any]) -> Reservation:
    """Reserve pieces for a while: all lines, or none."""
    return reservations.create(current_caller(), **new)


@blueprint.get("/reservations/<uuid:reservation_id>")
@blueprint.allow(Permission.RESERVATIONS_WRITE)
@blueprint.response(200, ReservationSchema)
@blueprint.etag
@blueprint.raises(ReservationNotFound)
def read_reservation(reservation_id: UUID) -> Reservation:
    """Read a reservation."""
    return reservations.get(current_caller(), reservation_id)


@blueprint.post("/reservations/<uuid:reservation_id>/commit")
@blueprint.allow(Permission.RESERVATIONS_WRITE)
@blueprint.idempotent
@blueprint.response(200, ReservationSchema)
@blueprint.etag
@blueprint.raises(ReservationNotFound, ReservationEnded)
def commit_reservation(reservation_id: UUID) -> Reservation:
    """Ship what is reserved, once: a second commit gets the same answer."""
    return reservations.commit(current_caller(), reservation_id)


@blueprint.post("/reservations/<uuid:reservation_id>/release")
@blueprint.allow(Permission.RESERVATIONS_WRITE)
@blueprint.idempotent
@blueprint.response(200, ReservationSchema)
@blueprint.etag
@blueprint.raises(ReservationNotFound, ReservationEnded)
def release_reservation(reservation_id: UUID) -> Reservation:
    """Give back what is reserved."""
    return reservations.release(current_caller(), reservation_id)


@blueprint.post("/reservations/<uuid:reservation_id>/extend")
@blueprint.allow(Permission.RESERVATIONS_WRITE)
@blueprint.idempotent
@blueprint.optional_body(HoldSchema)
@blueprint.response(200, ReservationSchema)
@blueprint.etag
@blueprint.raises(ReservationNotFound, ReservationEnded)
def extend_reservation(body: dict[str, int] | None, reservation_id: UUID) -> Reservation:
    """Hold what is reserved for so many seconds from now; it is never held shorter than before."""
    return reservations.extend(current_caller(), reservation_id, **(body or {}))
