"""Makes targets, profiles and the settings of our own process from their models."""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path
from urllib.parse import urlsplit

from monitor.config.draft import Draft, Unusable, collected, overrides, reasons
from monitor.config.monitor_model import StorageModel, TargetModel, WebModel, WorkersModel
from monitor.config.presets import NETWORKS
from monitor.config.profile_model import NetworkModel, ProfileModel, ProxyModel
from monitor.config.secrets import SecretUnavailable, Source
from monitor.config.settings import StorageSettings, WebSettings, WorkerSettings
from monitor.domain.check import Target
from monitor.domain.profile import ClientProfile, Engine, IpFamily, Network, Proxy, Viewport
from monitor.domain.secret import Secret
from monitor.reading.addresses import is_loopback, split_host_port
from monitor.reading.problem import quoted
from monitor.reading.quantities import show_duration

DESKTOP = ClientProfile(name="desktop", viewport=Viewport(width=1280, height=800), locale="en-US", timezone="UTC")
_KEEP_RUNS = dt.timedelta(days=90)
_KEEP_EVIDENCE = dt.timedelta(days=14)


def target_from(name: str, model: TargetModel, draft: Draft) -> Target | Unusable:
    """Return the target that the file describes."""
    headers, missing = collected(
        {header: functools.partial(draft.value, source, f"header {header}") for header, source in model.headers.items()}
    )
    for header, value in headers.items():
        text = value.reveal() if isinstance(value, Secret) else value
        if not text.isascii() or not text.isprintable():
            missing.append(f"{header}: holds characters that a header cannot; write visible ASCII on one line")
    authorities, unread = _authorities(draft, model.extra_ca)
    missing += unread
    if missing:
        return Unusable(reason=f"target {name}: {reasons(missing)}")
    return Target(
        name=name,
        base_url=model.base_url,
        headers=tuple(headers.items()),
        hosts=overrides(model.hosts),
        extra_ca=authorities,
        allowed_private=model.allowed_private,
        trace_context=model.trace_context,
        concurrency=model.concurrency,
    )


def profile_from(name: str, model: ProfileModel, draft: Draft) -> ClientProfile | Unusable:
    """Return the client profile that the file describes."""
    authorities, missing = _authorities(draft, model.extra_ca)
    proxy, without_password = _proxy(model.proxy, name, draft)
    missing += without_password
    if missing:
        return Unusable(reason=f"profile {name}: {reasons(missing)}")
    size = model.viewport
    return ClientProfile(
        name=name,
        engine=Engine(model.engine),
        full_browser=model.full_browser,
        device=model.device,
        viewport=Viewport(width=size.width, height=size.height) if size else None,
        locale=model.locale,
        timezone=model.timezone,
        user_agent=model.user_agent,
        network=_network(model.network),
        cpu_slowdown=model.cpu_slowdown,
        javascript=model.javascript,
        third_party_storage=model.third_party_storage,
        proxy=proxy,
        extra_ca=authorities,
        resolver=model.resolver,
        hosts=overrides(model.hosts),
        ip_family=IpFamily(model.ip_family),
        http2=model.http2,
        supported=model.supported,
    )


def storage_from(model: StorageModel, draft: Draft) -> StorageSettings:
    """Return where runs are kept."""
    url = None
    keep_runs = model.keep_runs or _KEEP_RUNS
    keep_evidence = model.keep_evidence or min(_KEEP_EVIDENCE, keep_runs)
    if keep_evidence > keep_runs:
        message = f"longer than the runs themselves are kept ({show_duration(keep_runs)}); raise keep_runs"
        draft.refuse(("storage", "keep_evidence"), message)
    if model.url is not None:
        url = _database(model.url, draft)
    return StorageSettings(
        directory=draft.origin.folder / model.directory,
        url=url,
        keep_runs=keep_runs,
        keep_evidence=keep_evidence,
        artifact_quota_bytes=model.artifact_quota,
    )


def web_from(model: WebModel, draft: Draft) -> WebSettings:
    """Return where pages are served; an address that others reach needs a password."""
    listen = split_host_port(model.listen)
    if model.password is None and not is_loopback(listen.host):
        message = f"{quoted(model.listen)} is reached by others; give 'username' and 'password', or listen on 127.0.0.1"
        draft.refuse(("web", "listen"), message)
    password = None
    if model.password is not None:
        try:
            password = draft.secret(model.password, "web.password")
        except SecretUnavailable as error:
            draft.refuse(("web", "password"), str(error))
    return WebSettings(
        host=listen.host,
        port=listen.port or WebSettings().port,
        external_url=model.external_url or "",
        username=model.username,
        password=password,
    )


def workers_from(model: WorkersModel) -> WorkerSettings:
    """Return how much may run at the same time."""
    return WorkerSettings(
        browsers=model.browsers,
        scripts=model.scripts,
        http_runs=model.http_runs,
        browser_memory_bytes=model.browser_memory,
        worker_memory_bytes=model.worker_memory,
        runs_per_browser=model.runs_per_browser,
        chromium=_path(model.chromium),
        headless_shell=_path(model.headless_shell),
        firefox=_path(model.firefox),
        webhook_host=model.webhook_host,
        webhook_url=model.webhook_url or "",
    )


def _authorities(draft: Draft, written: str | None) -> tuple[str | None, list[str]]:
    try:
        return draft.authorities(written), []
    except SecretUnavailable as error:
        return None, [str(error)]


def _proxy(model: ProxyModel | None, profile: str, draft: Draft) -> tuple[Proxy | None, list[str]]:
    if model is None:
        return None, []
    password = None
    if model.password is not None:
        try:
            password = draft.secret(model.password, f"proxy password of {profile}")
        except SecretUnavailable as error:
            return None, [f"proxy.password: {error}"]
    return Proxy(url=model.url, username=model.username, password=password, bypass=tuple(model.bypass)), []


def _network(model: NetworkModel | None) -> Network | None:
    if model is None:
        return None
    preset = NETWORKS[model.preset] if model.preset else Network(name="custom")
    own = (model.latency, model.download, model.upload) != (None, None, None)
    return Network(
        name="custom" if own else preset.name,
        latency=preset.latency if model.latency is None else model.latency,
        download_bits_per_second=model.download or preset.download_bits_per_second,
        upload_bits_per_second=model.upload or preset.upload_bits_per_second,
        offline=preset.offline,
    )


def _database(source: Source, draft: Draft) -> Secret | None:
    try:
        url = draft.secret(source, "storage.url")
    except SecretUnavailable as error:
        draft.refuse(("storage", "url"), str(error))
        return None
    try:
        parts = urlsplit(url.reveal())
        password = parts.password
    except ValueError:
        draft.refuse(("storage", "url"), "not a database URL; write postgresql://user:${PASSWORD}@host/name")
        return None
    if parts.scheme.partition("+")[0] not in {"postgresql", "sqlite"}:
        draft.refuse(("storage", "url"), "must start with postgresql:// or sqlite://")
    if password and source.literal:
        draft.refuse(("storage", "url"), "a password must not stand in this file; write ${NAME} in its place")
    if password:
        draft.secrets.append(Secret("storage.url password", password))
    return url


def _path(written: str | None) -> Path | None:
    return Path(written) if written is not None else None
