"""The Flask extensions, unbound; ``create_app`` binds them to an application."""

from flask import current_app
from flask_caching import Cache
from flask_jwt_extended import JWTManager
from flask_limiter import Limiter
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData

# Every constraint has a name that can be told from its columns, so that a migration can
# drop it and a domain error can stand for it.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

db = SQLAlchemy(metadata=metadata)
migrate = Migrate()
jwt = JWTManager()
cache = Cache()
# flask-limiter takes whom it counts here alone, not from the configuration.
limiter = Limiter(key_func=lambda: str(current_app.config["RATELIMIT_KEY_FUNC"]()))
