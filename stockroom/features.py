"""The registry of features: one line each, in the order of their dependencies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from click import Command
from flask import Flask

import stockroom.transfers.cli  # noqa: F401 - it joins the commands of a feature below it
from stockroom.api_keys import identity as api_keys
from stockroom.api_keys.cli import api_keys_commands
from stockroom.api_keys.personal_data import PERSONAL_DATA as API_KEYS
from stockroom.api_keys.routes import blueprint as api_key_routes
from stockroom.auth.cli import auth_commands
from stockroom.auth.jobs import JOBS as AUTH_JOBS
from stockroom.auth.personal_data import PERSONAL_DATA as SESSIONS
from stockroom.auth.routes import blueprint as auth_routes
from stockroom.auth.sink import SINK as LOGIN_MAILS
from stockroom.core import idempotency_keys
from stockroom.core.api import Blueprint
from stockroom.core.background.jobs import Job, bind_jobs
from stockroom.core.health import Check, bind_checks
from stockroom.core.idempotency_keys import JOBS as IDEMPOTENCY_JOBS
from stockroom.core.idempotency_keys import PERSONAL_DATA as IDEMPOTENCY_KEYS
from stockroom.core.personal_data import PersonalData, bind_personal_data
from stockroom.core.reencryption import Reencrypt, bind_reencryption
from stockroom.mail import service as mail
from stockroom.mail.cli import mail_commands
from stockroom.mail.health import check_mail
from stockroom.mail.jobs import JOBS as MAIL_JOBS
from stockroom.mail.personal_data import PERSONAL_DATA as MAILS_TO
from stockroom.outbox.cli import events_commands
from stockroom.outbox.health import check_relay
from stockroom.outbox.jobs import JOBS as OUTBOX_JOBS
from stockroom.outbox.personal_data import PERSONAL_DATA as EVENTS_ABOUT
from stockroom.outbox.routes import blueprint as event_routes
from stockroom.outbox.sinks import Listener, Outlets, Sink, bind_outlets
from stockroom.products.cli import products_commands
from stockroom.products.routes import blueprint as product_routes
from stockroom.second_factor import service as second_factor
from stockroom.second_factor.personal_data import PERSONAL_DATA as SECOND_FACTOR
from stockroom.second_factor.routes import blueprint as second_factor_routes
from stockroom.stock import catalogue
from stockroom.stock.cli import stock_commands
from stockroom.stock.jobs import JOBS as STOCK_JOBS
from stockroom.stock.personal_data import PERSONAL_DATA as STOCK_DATA
from stockroom.stock.routes import blueprint as stock_routes
from stockroom.stream import tail, websocket
from stockroom.stream.jobs import JOBS as STREAM_JOBS
from stockroom.stream.routes import blueprint as stream_routes
from stockroom.transfers.routes import blueprint as transfer_routes
from stockroom.users.cli import users_commands
from stockroom.users.jobs import JOBS as USER_JOBS
from stockroom.users.personal_data import PERSONAL_DATA as ACCOUNT
from stockroom.users.routes import blueprint as user_routes
from stockroom.verification.jobs import JOBS as VERIFICATION_JOBS
from stockroom.verification.personal_data import PERSONAL_DATA as MAILED_TOKENS
from stockroom.verification.routes import blueprint as verification_routes
from stockroom.webhooks import service as webhooks
from stockroom.webhooks.cli import webhooks_commands
from stockroom.webhooks.jobs import JOBS as WEBHOOK_JOBS
from stockroom.webhooks.routes import blueprint as webhook_routes
from stockroom.webhooks.sink import SINK as WEBHOOKS_SINK


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What a feature adds to the application.

    :ivar init_app: what it binds to the application besides.
    :ivar checks: what ``/readyz`` and ``flask doctor`` look at besides, by name.
    :ivar personal_data: what it keeps on people.
    :ivar reencrypt: what it keeps encrypted, by name.
    """

    routes: Blueprint | None = None
    commands: tuple[Command, ...] = ()
    jobs: tuple[Job, ...] = ()
    sinks: tuple[Sink, ...] = ()
    listeners: tuple[Listener, ...] = ()
    init_app: tuple[Callable[[Flask], object], ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    personal_data: tuple[PersonalData, ...] = ()
    reencrypt: Mapping[str, Reencrypt] = field(default_factory=dict)


FEATURES = (
    Feature(
        jobs=IDEMPOTENCY_JOBS,
        personal_data=(IDEMPOTENCY_KEYS,),
        reencrypt={"answers": idempotency_keys.reencrypt},
    ),
    Feature(
        routes=event_routes,
        commands=(events_commands,),
        jobs=OUTBOX_JOBS,
        checks={"events": check_relay},
        personal_data=(EVENTS_ABOUT,),
    ),
    Feature(
        commands=(mail_commands,),
        jobs=MAIL_JOBS,
        checks={"mail": check_mail},
        personal_data=(MAILS_TO,),
        reencrypt={"mails": mail.reencrypt},
    ),
    Feature(
        routes=user_routes,
        commands=(users_commands,),
        jobs=USER_JOBS,
        personal_data=(ACCOUNT,),
    ),
    Feature(
        routes=second_factor_routes,
        personal_data=(SECOND_FACTOR,),
        reencrypt={"second factors": second_factor.reencrypt},
    ),
    Feature(
        routes=auth_routes,
        commands=(auth_commands,),
        jobs=AUTH_JOBS,
        sinks=(LOGIN_MAILS,),
        personal_data=(SESSIONS,),
    ),
    Feature(
        routes=api_key_routes,
        commands=(api_keys_commands,),
        init_app=(api_keys.init_app,),
        personal_data=(API_KEYS,),
    ),
    Feature(routes=verification_routes, jobs=VERIFICATION_JOBS, personal_data=(MAILED_TOKENS,)),
    Feature(routes=product_routes, commands=(products_commands,)),
    Feature(
        routes=stock_routes,
        commands=(stock_commands,),
        jobs=STOCK_JOBS,
        init_app=(catalogue.init_app,),
        personal_data=(STOCK_DATA,),
    ),
    Feature(routes=transfer_routes),
    Feature(
        routes=webhook_routes,
        commands=(webhooks_commands,),
        jobs=WEBHOOK_JOBS,
        sinks=(WEBHOOKS_SINK,),
        reencrypt={"webhooks": webhooks.reencrypt},
    ),
    Feature(
        routes=stream_routes,
        jobs=STREAM_JOBS,
        listeners=(tail.announce,),
        init_app=(tail.init_app, websocket.init_app),
    ),
)


def bind(app: Flask) -> None:
    """Tell the application what its features do besides answering requests."""
    for feature in FEATURES:
        for init_app in feature.init_app:
            init_app(app)
    bind_jobs(app.extensions, [job for feature in FEATURES for job in feature.jobs])
    sinks = [sink for feature in FEATURES for sink in feature.sinks]
    listeners = [listener for feature in FEATURES for listener in feature.listeners]
    bind_outlets(app.extensions, Outlets(sinks, listeners))
    checks = {name: check for feature in FEATURES for name, check in feature.checks.items()}
    bind_checks(app.extensions, checks)
    parts = [part for feature in FEATURES for part in feature.personal_data]
    bind_personal_data(app.extensions, parts)
    renewing = {name: renew for feature in FEATURES for name, renew in feature.reencrypt.items()}
    bind_reencryption(app.extensions, renewing)
