from __future__ import annotations

import random

import dnslib
import pytest
from dns.rdatatype import RdataType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.probes.vantage.message import MalformedAnswer, decode_answer, encode_question

# How long an example takes is the machine's business.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _answer() -> bytes:
    question = dnslib.DNSRecord.parse(encode_question(7, "www.shop.test", RdataType.A))
    made = question.reply()
    for record in dnslib.RR.fromZone("www.shop.test. 60 CNAME edge.test.\nedge.test. 60 A 192.0.2.1"):
        made.add_answer(record)
    return made.pack()


def test_a_question_is_what_others_understand():
    parsed = dnslib.DNSRecord.parse(encode_question(7, "www.shop.test.", RdataType.AAAA))
    assert (parsed.header.id, parsed.header.rd, str(parsed.q.qname), parsed.q.qtype) == (7, 1, "www.shop.test.", 28)


def test_an_answer_of_others_is_understood():
    answer = decode_answer(_answer())
    assert answer.aliases == (("www.shop.test", "edge.test"),)
    assert answer.addresses == (("edge.test", "192.0.2.1"),)
    assert (answer.identifier, answer.question, answer.rcode) == (7, "www.shop.test", 0)


@UNHURRIED
@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_be_refused(data):
    try:
        decode_answer(data)
    except MalformedAnswer:
        return


@UNHURRIED
@given(st.integers(), st.integers(1, 40))
def test_a_damaged_answer_is_refused_or_read_but_never_worse(seed, damage):
    rng = random.Random(seed)
    data = bytearray(_answer())
    for _ in range(damage):
        data[rng.randrange(len(data))] = rng.randrange(256)
    try:
        decode_answer(bytes(data))
    except MalformedAnswer:
        return


def test_names_that_point_at_themselves_end():
    head = b"\x00\x07\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    with pytest.raises(MalformedAnswer, match="without end"):
        decode_answer(head + b"\xc0\x0c" + b"\x00\x01\x00\x01")
