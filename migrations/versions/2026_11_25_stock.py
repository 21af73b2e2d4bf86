"""Stock: locations, levels, the ledger, reservations.

Revision ID: c81e5b07f2a4
Revises: 4f0a92d6c1b7
Create Date: 2026-11-25 17:00:00.000000+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "c81e5b07f2a4"
down_revision = "4f0a92d6c1b7"
branch_labels = None
depends_on = None

LEVEL_KEY = ["stock_levels.product_id", "stock_levels.location"]

# Whoever owns the table could still drop the trigger; nobody can change a line by mistake.
APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: a mistake is mended by another movement', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    op.add_column("products", sa.Column("low_stock_threshold", sa.BigInteger(), nullable=True))
    # The next migration has the rows checked, under a lock that lets others write.
    op.create_check_constraint(
        op.f("ck_products_low_stock_threshold_not_negative"),
        "products",
        "low_stock_threshold >= 0",
        postgresql_not_valid=True,
    )
    op.create_table(
        "locations",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        *_entity(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("code", name=op.f("uq_locations_code")),
    )
    op.execute(
        "INSERT INTO locations (id, code, name, version, created_at, updated_at)"
        " VALUES ('00000000-0000-7000-8000-000000000001', 'main', 'Main', 1, now(), now())"
    )
    op.create_table(
        "stock_levels",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("location", sa.String(length=32), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "0 <= reserved AND reserved <= on_hand",
            name=op.f("ck_stock_levels_reserved_within_on_hand"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_stock_levels_product_id_products")
        ),
        sa.ForeignKeyConstraint(
            ["location"], ["locations.code"], name=op.f("fk_stock_levels_location_locations")
        ),
        sa.PrimaryKeyConstraint("product_id", "location", name=op.f("pk_stock_levels")),
    )
    # A sale changes a row in place as long as its page has room.
    op.execute("ALTER TABLE stock_levels SET (fillfactor = 50)")
    _create_movements()
    op.create_table(
        "reservations",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status", _choice("status", "held", "committed", "released", "expired"), nullable=False
        ),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *_entity(),
        sa.CheckConstraint(
            "(status = 'held') = (ended_at IS NULL)", name=op.f("ck_reservations_ended_unless_held")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_reservations_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
    )
    op.create_index(
        "ix_reservations_due",
        "reservations",
        ["expires_at"],
        postgresql_where=sa.text("status = 'held'"),
    )
    op.create_index("ix_reservations_user_id_id", "reservations", ["user_id", "id"])
    op.create_table(
        "reservation_lines",
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("location", sa.String(length=32), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservation_lines_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservations.id"],
            name=op.f("fk_reservation_lines_reservation_id_reservations"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id", "location"],
            LEVEL_KEY,
            name=op.f("fk_reservation_lines_product_id_location_stock_levels"),
        ),
        sa.PrimaryKeyConstraint("reservation_id", "position", name=op.f("pk_reservation_lines")),
    )


def downgrade() -> None:
    op.drop_table("reservation_lines")
    op.drop_table("reservations")
    op.drop_table("stock_movements")
    op.execute("DROP FUNCTION refuse_change()")
    op.drop_table("stock_levels")
    op.drop_table("locations")
    op.drop_column("products", "low_stock_threshold")


def _create_movements() -> None:
    op.create_table(
        "stock_movements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("location", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            _choice("kind", "received", "shipped", "adjusted", "returned", "transferred"),
            nullable=False,
        ),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("ordinal", sa.Integer(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("change <> 0", name=op.f("ck_stock_movements_change_not_zero")),
        sa.CheckConstraint("balance >= 0", name=op.f("ck_stock_movements_balance_not_negative")),
        sa.CheckConstraint(
            "kind NOT IN ('received', 'returned') OR change > 0",
            name=op.f("ck_stock_movements_what_comes_in_is_positive"),
        ),
        sa.CheckConstraint(
            "kind <> 'shipped' OR change < 0",
            name=op.f("ck_stock_movements_what_goes_out_is_negative"),
        ),
        sa.CheckConstraint(
            "kind <> 'adjusted' OR reason IS NOT NULL",
            name=op.f("ck_stock_movements_adjusted_has_a_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id", "location"],
            LEVEL_KEY,
            name=op.f("fk_stock_movements_product_id_location_stock_levels"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
    )
    op.create_index(
        "ix_stock_movements_product_id_sequence", "stock_movements", ["product_id", "sequence"]
    )
    op.create_index("ix_stock_movements_actor_id", "stock_movements", ["actor_id"])
    op.create_index(
        "uq_stock_movements_imported",
        "stock_movements",
        ["reference", "product_id", "location", "kind", "ordinal"],
        unique=True,
        postgresql_where=sa.text("ordinal IS NOT NULL"),
    )
    op.execute(APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movements"
        " EXECUTE FUNCTION refuse_change()"
    )


def _entity() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)
