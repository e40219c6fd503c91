"""The prober ``dns``: one question to a server, and what its answer is held against."""

from __future__ import annotations

from monitor.probes.blackbox.addresses import choose_address
from monitor.probes.blackbox.encryption import Contexts
from monitor.probes.blackbox.modules import DnsModule, RecordRules
from monitor.probes.blackbox.occasion import Occasion
from monitor.probes.blackbox.tcp import split_target
from monitor.probes.http.failures import words_of
from monitor.probes.vantage.question import Question, QuestionFailed, Reply, put
from monitor.probes.vantage.resolver import ResolveFailed

_DURATION = "probe_dns_duration_seconds"
_PLAIN, _ENCRYPTED = 53, 853


async def probe_dns(occasion: Occasion, target: str, module: DnsModule, contexts: Contexts) -> bool:
    """Ask, and say whether the answer is as wanted."""
    gauges = occasion.gauges
    gauges.declare_phases(_DURATION, "resolve", "connect", "request")
    gauges.declare(
        "probe_dns_answer_rrs", "probe_dns_authority_rrs", "probe_dns_additional_rrs", "probe_dns_query_succeeded"
    )
    try:
        host, port = split_target(target)
    except ValueError:
        host, port = target, _PLAIN if module.tls is None else _ENCRYPTED
    try:
        address, seconds = await choose_address(occasion, host, preferred=module.preferred, fallback=module.fallback)
        gauges.add_phase(_DURATION, "resolve", seconds)
        context = await contexts.context(module.tls) if module.tls else None
    except (OSError, ValueError, ResolveFailed) as error:
        occasion.say("The question cannot be asked", err=words_of(error))
        return False
    question = Question(
        name=module.query_name,
        kind=module.query_type,
        of_class=module.query_class,
        recursion=module.recursion,
        address=address,
        port=port,
        transport=module.transport,
        source=module.source_address,
        context=context,
        server_name=(module.tls.server_name if module.tls else "") or host,
    )
    occasion.say("Making DNS query", target=address, query=module.query_name, type=module.query_type)
    try:
        reply = await put(question, seconds=occasion.seconds_left)
    except QuestionFailed as error:
        gauges.add_phase(_DURATION, "connect", error.connect)
        gauges.add_phase(_DURATION, "request", error.request)
        occasion.say("Error while sending a DNS query", err=error)
        return False
    return _judge(occasion, module, reply)


def _judge(occasion: Occasion, module: DnsModule, reply: Reply) -> bool:
    gauges = occasion.gauges
    gauges.add_phase(_DURATION, "connect", reply.connect)
    gauges.add_phase(_DURATION, "request", reply.request)
    gauges.set("probe_dns_answer_rrs", len(reply.answer))
    gauges.set("probe_dns_authority_rrs", len(reply.authority))
    gauges.set("probe_dns_additional_rrs", len(reply.additional))
    gauges.set("probe_dns_query_succeeded", 1)
    if module.query_type == "SOA":
        gauges.set("probe_dns_serial", reply.serial or 0)
    if reply.rcode not in module.valid_rcodes:
        occasion.say("Rcode is not one of the valid rcodes", rcode=reply.rcode)
        return False
    sections = (
        ("Answer", reply.answer, module.answer),
        ("Authority", reply.authority, module.authority),
        ("Additional", reply.additional, module.additional),
    )
    for title, records, rules in sections:
        broken = broken_rule(records, rules)
        if broken:
            occasion.say(f"{title} RRs validation failed", rule=broken)
            return False
    return True


def broken_rule(records: tuple[str, ...], rules: RecordRules) -> str | None:
    """Return the first rule that the records of a section break, ``None`` where they keep all."""
    lines = [record.encode() for record in records]
    if not lines and rules.fail_if_not_matches:
        return "fail_if_not_matches_regexp, and there are no records"
    if any(pattern.found(line) for line in lines for pattern in rules.fail_if_matches):
        return "fail_if_matches_regexp"
    if any(not pattern.found(line) for line in lines for pattern in rules.fail_if_not_matches):
        return "fail_if_not_matches_regexp"
    # By its name it should be the other way round; the exporter does it so, and its modules are written for it.
    if not all(pattern.found(line) for line in lines for pattern in rules.fail_if_all_match):
        return "fail_if_all_match_regexp"
    return _without_any(lines, rules)


def _without_any(lines: list[bytes], rules: RecordRules) -> str | None:
    if not rules.fail_if_none_matches:
        return None
    if any(pattern.found(line) for line in lines for pattern in rules.fail_if_none_matches):
        return None
    return "fail_if_none_matches_regexp"
