"""Strict JSON: one meaning or none."""

import json
import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import json_provider
from app.json_provider import MalformedJSONError, StrictJSONProvider, dumps, dumps_rows, loads
from model.reasons import Reason

NOT_JSON = {
    "empty": b"",
    "white space": b" \n",
    "text": b"hello",
    "cut off": b'{"a": 1',
    "trailing comma": b"[1,]",
    "trailing text": b"{} {}",
    "single quotes": b"{'a': 1}",
    "leading zero": b"[01]",
    "NaN": b"[NaN]",
    "Infinity": b"[Infinity]",
    "-Infinity": b"[-Infinity]",
    "number beyond float": b"[1e999]",
    "number of 400 digits": b"[" + b"1" * 400 + b"]",
    "number of 5000 digits": b"[" + b"1" * 5000 + b"]",
    "nested 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "lone surrogate": b'["\\ud800"]',
    "raw lone surrogate": b'["\xed\xa0\x80"]',
    "not UTF-8": b'["\xff"]',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "byte-order mark": b"\xef\xbb\xbf{}",
    "control character": b'["\x01"]',
}

REPEATED = {
    "flat": b'{"a": 1, "a": 1}',
    "without space": b'{"a":1,"a":2}',
    "space before the colon": b'{"a":1,"a" :2}',
    "line break before the colon": b'{"a":1,"a"\n:2}',
    "tab before the colon": b'{"a":1,"a"\t:2}',
    "carriage return before the colon": b'{"a":1,"a"\r:2}',
    "spelt with an escape": b'{"a":1,"\\u0061":2}',
    "colon in the kept value": b'{"a":1,"a":"12:30"}',
    "colon in the lost value": b'{"a":"12:30","a":1}',
    "colon in the key": b'{"a:":1,"a:":2}',
    "value that begins with a colon": b'{"a":":","a":1}',
    "escaped quote before a colon": b'{"a":"\\":","a":1}',
    "in a list": b'[{"b":1},{"a":1,"a":2}]',
    "in the envelope": b'{"transactions":[{"a":1,"a":2}]}',
    "of the envelope": b'{"transactions":[],"transactions":[{}]}',
    "far down": b'{"x":{"y":[[{"a":1,"a":2}]]}}',
    "an object lost": b'{"a":{"b":1,"c":2},"a":3}',
    "empty key": b'{"":1,"":2}',
}

SINGLE = {
    "time of day": b'{"t":"2026-01-31T12:30:00"}',
    "spaces and times": b'{"t" : "12:30", "u" : ":"}',
    "same key in two objects": b'[{"a":1},{"a":2}]',
    "same key on two levels": b'{"a":{"a":1}}',
    "escapes": b'{"a":"\\u003a\\\\\\":","b":"\\u00fc"}',
    "long number beside an escape": b'{"a":"::","b":' + b"1" * 300 + b"}",
    "keys that differ in case": b'{"a":1,"A":2}',
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_refused(body):
    with pytest.raises(MalformedJSONError, match="not valid JSON"):
        loads(body)


@pytest.mark.parametrize("body", REPEATED.values(), ids=REPEATED.keys())
def test_repeated_key_is_refused(body):
    with pytest.raises(MalformedJSONError, match="appears twice in one object"):
        loads(body)


def test_repeated_key_is_named():
    with pytest.raises(MalformedJSONError, match='"Amount" appears twice'):
        loads(b'[{"Amount": 1, "Time": 2, "Amount": 3}]')


def test_long_repeated_key_is_named_by_its_beginning():
    key = b'"' + b"k" * 100_000 + b'"'

    with pytest.raises(MalformedJSONError) as caught:
        loads(b"{" + key + b":1," + key + b":2}")

    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("body", SINGLE.values(), ids=SINGLE.keys())
def test_keys_that_only_look_repeated_are_accepted(body):
    assert loads(body) == json.loads(body, parse_int=float)


def test_deep_nesting_beside_a_colon_in_a_string_is_no_crash():
    """The slower parser gives up at a depth that the fast one still reads."""
    body = b'{"a": "::", "b": ' + b"[" * 1020 + b"]" * 1020 + b"}"

    with pytest.raises(MalformedJSONError, match="nested too deeply"):
        loads(body)


def test_text_and_bytes_are_read_alike():
    assert loads('{"a": "ü"}') == loads('{"a": "ü"}'.encode()) == {"a": "ü"}


# Few letters, so that keys and strings meet; with all that the quick test has to tell apart.
words = st.text(st.sampled_from('ab:" \\\t\nü'), max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=2),
    max_leaves=5,
)
pairs = st.lists(st.tuples(words, values), max_size=4)


def written(pairs, draw):
    """Write an object from pairs, repeated keys and all, with white space drawn."""
    space = st.sampled_from(["", "", " ", "\n", "\t", "\r"])
    members = [
        json.dumps(key, ensure_ascii=draw(st.booleans()))
        + draw(space)
        + ":"
        + draw(space)
        + json.dumps(value)
        for key, value in pairs
    ]
    return "{" + ",".join(members) + "}"


@given(st.data(), st.lists(pairs, min_size=1, max_size=3), st.sampled_from(["one", "list", "env"]))
def test_repeated_keys_are_found_exactly_when_there_are_some(data, objects, form):
    texts = [written(pairs, data.draw) for pairs in objects]
    body = {
        "one": texts[0],
        "list": f"[{','.join(texts)}]",
        "env": f'{{"transactions" : [{",".join(texts)}]}}',
    }[form]
    judged = objects[:1] if form == "one" else objects
    is_repeated = any(len({key for key, _ in pairs}) < len(pairs) for pairs in judged)

    if is_repeated:
        with pytest.raises(MalformedJSONError, match="appears twice"):
            loads(body)
    else:
        assert loads(body) == json.loads(body)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "place",
    [
        lambda x: x,
        lambda x: [1, (x,)],
        lambda x: {"a": {"b": [x]}},
        lambda x: [Reason("A_HIGH", "A", x, None, 1.0)],
    ],
    ids=["alone", "in lists", "in objects", "in a reason"],
)
def test_numbers_without_a_word_in_json_are_never_written(number, place):
    with pytest.raises(ValueError, match="not finite"):
        dumps(place(number))


def test_null_is_written_where_it_is_meant():
    assert dumps({"value": None, "text": "null", "x": 1.5}) == (
        b'{"value":null,"text":"null","x":1.5}'
    )


def test_flask_uses_the_same_rules(app):
    provider = app.json

    assert isinstance(provider, StrictJSONProvider)
    assert provider.dumps({"a": 0.1}) == '{"a":0.1}'
    with pytest.raises(ValueError, match="not finite"):
        provider.dumps([math.nan])
    with pytest.raises(MalformedJSONError):
        provider.loads('{"a": 1, "a": 2}')


@given(st.dictionaries(st.text(string.ascii_letters, min_size=1), st.floats(allow_nan=False)))
def test_finite_numbers_survive_the_round_trip_to_the_bit(numbers):
    numbers = {key: x for key, x in numbers.items() if math.isfinite(x)}

    assert loads(dumps(numbers)) == numbers


cells = st.one_of(st.text('a"\\{}[],:é', max_size=6), st.integers(0, 9), st.just([{}]), st.just({}))
rows = st.lists(st.dictionaries(st.text("a},{[]", max_size=3), cells, max_size=3), max_size=8)
long_documents = st.one_of(
    rows,
    st.builds(lambda some, key, cell: {"transactions": some, key: cell}, rows, st.text(), cells),
    st.builds(lambda some, key, cell: {key: cell, "transactions": some}, rows, st.text(), cells),
    st.recursive(cells, lambda below: st.lists(below) | st.dictionaries(st.text(), below)),
)


def told(data):
    """Return what parsing gives, or the reason why it does not."""
    try:
        return loads(data)
    except MalformedJSONError as error:
        return str(error)


@given(document=long_documents, indent=st.sampled_from([None, 1]), wounds=st.data())
def test_long_body_is_read_in_pieces_as_in_one_go(document, indent, wounds):
    data = json.dumps(document, indent=indent, ensure_ascii=False)
    for _ in range(wounds.draw(st.integers(0, 2))):
        place = wounds.draw(st.integers(0, len(data)))
        rest = place + wounds.draw(st.integers(0, 2))
        data = data[:place] + wounds.draw(st.sampled_from([*',[]{}" ', ""])) + data[rest:]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_provider, "_PIECE_BYTES", 10**9)
        whole = told(data.encode())
        patch.setattr(json_provider, "_PIECE_BYTES", 3)
        in_pieces = told(data.encode())

    assert in_pieces == whole


@pytest.mark.parametrize("wrap", [list, lambda rows: {"transactions": rows}])
def test_parser_never_sees_more_than_a_piece_of_a_long_list(monkeypatch, wrap):
    sizes = []
    parse = json_provider.orjson.loads
    row = {"a": 1.5, "b": "c" * 200}
    data = json.dumps(wrap([row] * 20_000)).encode()
    monkeypatch.setattr(
        json_provider.orjson, "loads", lambda d: (sizes.append(len(d)), parse(d))[1]
    )

    assert loads(data) == wrap([row] * 20_000)
    assert sum(sizes) > len(data) - 100 * len(sizes)
    assert max(sizes) < 300 * 1024


@given(rows=rows, size=st.integers(1, 9))
def test_list_is_written_in_pieces_as_in_one_go(rows, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_provider, "_PIECE_ROWS", size)
        written = dumps({"rows": dumps_rows(rows), "more": 1})

    assert written == dumps({"rows": rows, "more": 1})


def test_list_that_holds_a_number_that_is_none_is_not_written():
    with pytest.raises(ValueError, match="not finite"):
        dumps_rows([{"a": 1.0}, {"a": math.nan}])
