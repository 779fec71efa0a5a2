"""The way to the station: the broker, knocked at as the node would; the media server, asked for one byte; the modem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge_node import fetch
from edge_node.badge import Badge
from edge_node.checkup.finding import Finding, well, wrong
from edge_node.keep import Sealed
from edge_node.settings import Settings, tls_fault
from wire.config import NodeConfig
from wire.health import Vitals
from wire.mqtt import context, tls
from wire.mqtt.knock import Answer, knock
from wire.plan import Asset

WEAK_PERCENT, WEAK_DBM = 25, -75
AWAY = ("failed", "locked", "disabled", "searching", "unknown", "disconnected")

_SENTENCES = {
    Answer.WELCOME: "node.check_broker_ok",
    Answer.NO_NAME: "node.check_broker_no_name",
    Answer.REFUSED: "node.check_broker_bad",
    Answer.SILENT: "node.check_broker_silent",
    Answer.NO_TLS: "node.check_broker_no_tls",
    Answer.CERT_EXPIRED: "node.check_broker_cert_expired",
    Answer.CERT_NOT_YET: "node.check_broker_cert_not_yet",
    Answer.CERT_NAME: "node.check_broker_cert_name",
    Answer.CERT_UNKNOWN: "node.check_broker_cert_unknown",
    Answer.CERT_WANTED: "node.check_broker_cert_wanted",
    Answer.CREDENTIALS: "node.check_broker_credentials",
    Answer.NOT_MQTT: "node.check_broker_not_mqtt",
    Answer.REJECTED: "node.check_broker_rejected",
}


def broker(settings: Settings) -> Iterator[Finding]:
    """Whether the broker lets this node in, and if not, where it fails."""
    facts: dict[str, object] = {"host": settings.broker_host, "port": settings.broker_port}
    try:
        badge = Badge(settings)
        renewed = badge.files() if settings.broker_cert and badge.is_renewed else None
        files = renewed or tls(settings.broker_ca, settings.broker_cert, settings.broker_key)
        files["opened"] = badge.keep.opened
        trusted = context(files) if settings.broker_ca else None
    except Sealed as why:
        yield wrong(why.key, **why.facts)
        return
    except OSError as why:
        fault = tls_fault(settings, why)
        yield wrong(fault.key, **fault.facts)
        return
    user = (settings.broker_user, settings.broker_password) if settings.broker_user else None
    answer, detail = knock((settings.broker_host, settings.broker_port), settings.node, user, trusted)
    facts |= {"why": detail, "user": settings.broker_user or "–"}
    yield Finding(answer is Answer.WELCOME, _SENTENCES[answer], facts)


def media(config: NodeConfig | None, assets: Sequence[Asset]) -> Iterator[Finding]:
    """Whether audio can be fetched, and in pieces: one byte of a file that the node needs."""
    if config is None or not assets:
        yield well("node.check_media_unknown")
        return
    url = fetch.address(config.media_url, assets[0])
    try:
        resumes = fetch.one_byte(url)
    except fetch.NotFetched as why:
        yield wrong("node.check_media_bad", url=url, why=why)
        return
    yield (well if resumes else wrong)("node.check_media_ok" if resumes else "node.check_media_whole", url=url)


def modem(read: Vitals) -> Iterator[Finding]:
    """The modem and the Wi-Fi, where there are any."""
    if read.modem:
        facts = {
            "operator": read.modem.operator or "–",
            "percent": read.modem.signal_percent,
            "state": read.modem.state,
        }
        if read.modem.state in AWAY:
            yield wrong("node.check_modem_away", **facts)
        elif (read.modem.signal_percent or 100) < WEAK_PERCENT:
            yield wrong("node.check_modem_weak", **facts)
        else:
            yield well("node.check_modem_ok", **facts)
    if read.wifi_dbm is not None:
        weak = read.wifi_dbm < WEAK_DBM
        yield (wrong if weak else well)("node.check_wifi_weak" if weak else "node.check_wifi_ok", dbm=read.wifi_dbm)
