"""A Python client of the service: one file that needs ``requests`` (2.32.2) and nothing of ours.

All of it is in this file, so that a project that calls the service can copy it and is done.

A call ends by its deadline, whatever the server, the network or the name server does, and an answer
takes no more memory than it may: ``Client`` says how much of each.
"""

from __future__ import annotations

import json
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from itertools import islice
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, overload, runtime_checkable
from urllib.parse import urlsplit
from uuid import uuid4

import requests

Transaction = Mapping[str, Any]
RowErrors = Mapping[int, Mapping[str, list[str]]]

FIRST_PAUSE = 0.1  # seconds; doubled with every retry
LONGEST_PAUSE = 5.0
LARGEST_ANSWER = 64 * 1024 * 1024  # bytes; a thousand explained transactions are about four million
_MOST_TOLD = 5  # fields that a message names
_LONGEST_TOLD = 500  # characters of what a server wrote
_PIECE = 64 * 1024
_NAME = "fraudscore request"  # of the thread of an attempt
_RETRIED = frozenset({429, 502, 503, 504})

R = TypeVar("R")
_Facts = Mapping[str, Any]


@runtime_checkable
class Series(Protocol):
    """What is needed of a pandas Series, one row of a frame, so that pandas itself is not."""

    def astype(self, dtype: type) -> Any:
        """Convert all values."""
        ...

    def notna(self) -> Any:
        """Say which values are there."""
        ...

    def to_frame(self) -> Any:
        """Tell it from a DataFrame, which has no such method."""
        ...


@runtime_checkable
class Frame(Protocol):
    """What is needed of a pandas DataFrame."""

    columns: Any
    iloc: Any

    def iterrows(self) -> Any:
        """Tell it from a Series, which has no such method."""
        ...

    def __len__(self) -> int:
        """Return the number of rows."""
        ...


One = Transaction | Series
Many = Iterable[One] | Frame


class ClientError(Exception):
    """Base of all errors of this client.

    ::

        ClientError
        ├── ServiceUnavailableError         no answer, or one with a status of 500 and above
        ├── RateLimitedError                429, and again after the retries
        ├── UnauthorizedError               401, 403: no API key, or not a good one
        ├── RequestRefusedError             any other status but 200
        │   └── InvalidTransactionsError    422, with the problems of each row
        └── UnexpectedAnswerError           200, but not what this client understands

    The text is one line, whatever the server wrote. ``status`` is None where no answer came,
    ``request_id`` is what the log of the service has, and ``retry_after`` how many seconds the
    service asked to wait, if it did.
    """

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.detail = detail = _line(detail)
        self.status = status
        self.request_id = request_id = None if request_id is None else _line(request_id)
        self.retry_after = retry_after
        facts = [f"status {status}"] if status else []
        facts += [f"request {request_id}"] if request_id else []
        super().__init__(f"{detail} ({', '.join(facts)})" if facts else detail)


class ServiceUnavailableError(ClientError):
    """The service gave no answer, or said that it cannot."""


class RateLimitedError(ClientError):
    """The service has had too many requests."""


class UnauthorizedError(ClientError):
    """The service wants an API key, or another one."""


class RequestRefusedError(ClientError):
    """The service will not answer this request, however often it is made."""


class InvalidTransactionsError(RequestRefusedError):
    """Transactions that cannot be scored: ``errors`` is row → field → reasons.

    Rows are numbered over everything that was given. Rows after those of the request that was
    refused have not been looked at. The message names the first fields.
    """

    def __init__(self, detail: str, errors: RowErrors, **facts: Any) -> None:
        super().__init__(detail, **facts)
        self.errors = errors

    def __str__(self) -> str:
        found = [
            _line(f"row {row}, {name}: {' '.join(map(str, reasons))}")
            for row, fields in self.errors.items()
            for name, reasons in fields.items()
        ]
        if len(found) > _MOST_TOLD:
            found[_MOST_TOLD:] = [f"and {len(found) - _MOST_TOLD} more"]
        return "; ".join([super().__str__(), *found])


class UnexpectedAnswerError(ClientError):
    """The service, or something before it, answered what this client does not understand."""


_KINDS: Mapping[int, type[ClientError]] = {
    401: UnauthorizedError,
    403: UnauthorizedError,
    429: RateLimitedError,
}


@dataclass(frozen=True)
class Model:
    """Which model answered."""

    name: str
    version: str


@dataclass(frozen=True)
class Reason:
    """One feature's part in a score."""

    code: str
    feature: str
    value: Any
    typical: Any
    contribution: float


@dataclass(frozen=True)
class Prediction:
    """How likely fraud is, and what to do about it."""

    probability: float
    score: int
    decision: str
    model: Model
    identifiers: Mapping[str, str | int] = field(default_factory=dict)
    uncertainty: tuple[float, float] | None = None
    anomaly_score: float | None = None
    reasons: tuple[Reason, ...] = ()
    contributions: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Anomaly:
    """How unusual a transaction is."""

    reconstruction_error: float
    anomaly_score: float
    is_anomaly: bool
    threshold: float
    model: Model
    identifiers: Mapping[str, str | int] = field(default_factory=dict)
    contributions: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Health:
    """What the service says of itself; ``facts`` is all of it."""

    status: str
    model: Model
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Card:
    """The card of the model; ``facts`` is all of it: features, policy, score table, metrics."""

    model: Model
    tasks: tuple[str, ...]
    features: tuple[Mapping[str, Any], ...]
    facts: Mapping[str, Any]


class Client:
    """Talks to one service; use it in a ``with`` statement, or call ``close``.

    Connections are kept and used again, by any number of threads. Scoring changes nothing, so what
    got no answer, or 429, 502, 503 or 504, is asked again after a random and growing pause, and
    after what ``Retry-After`` says; nothing else is.

    Parameters
    ----------
    url : str
        Where the service is: ``http://localhost:8000``.
    api_key : str, optional
        Sent as ``Authorization: Bearer``.
    timeout : tuple of float
        Seconds to connect, and seconds of silence before an answer is given up.
    deadline : float
        Seconds for one request with all its retries, pauses, look-ups of names and connections, and
        for the answer to arrive whole: one that comes byte by byte is broken off. An input that
        becomes several requests may take as long for each of them.
    largest_answer : int
        Bytes of an answer; a larger one is not read to its end. It is asked for without
        compression, so that it cannot grow. Its header has at most 100 fields of 64 KiB.
    retries : int
        How often a request is repeated at most.
    batch_rows : int
        Transactions in one request; larger inputs become several, one after the other.
    sleep, jitter : callable
        How to wait, and a random number from 0 to 1.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout: tuple[float, float] = (3.05, 30.0),
        deadline: float = 60.0,
        largest_answer: int = LARGEST_ANSWER,
        retries: int = 3,
        batch_rows: int = 1000,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        if not _is_address(url):
            raise ValueError(f"the url must be as http://localhost:8000, not {url!r}")
        if api_key is not None and not re.fullmatch("[!-~]+", api_key):
            raise ValueError("the api_key must be made of visible ASCII characters")
        if batch_rows < 1:
            raise ValueError(f"batch_rows must be at least 1, not {batch_rows}")
        self._url = url.rstrip("/")
        self._timeout, self._deadline, self._retries = timeout, deadline, retries
        self._batch_rows, self._largest_answer = batch_rows, largest_answer
        self._sleep, self._jitter = sleep, jitter
        self._session = requests.Session()
        self._session.auth = _Key(api_key)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter())

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    @overload
    def predict(
        self, transactions: One, *, explain: bool = ..., anomaly: bool = ...
    ) -> Prediction: ...
    @overload
    def predict(
        self, transactions: Many, *, explain: bool = ..., anomaly: bool = ...
    ) -> list[Prediction]: ...
    def predict(
        self,
        transactions: One | Many,
        *,
        explain: bool = False,
        anomaly: bool = False,
    ) -> Prediction | list[Prediction]:
        """Score one transaction, or any iterable of them, or a pandas frame, in order.

        A transaction is a mapping or a pandas Series. Columns that a frame or a Series has beyond
        those of the model are left out; an unknown key of a mapping is refused by the service.
        """
        options = {"explain": explain, "anomaly": anomaly}
        return self._score("/predict", transactions, options, _prediction)

    @overload
    def anomaly(self, transactions: One, *, explain: bool = ...) -> Anomaly: ...
    @overload
    def anomaly(self, transactions: Many, *, explain: bool = ...) -> list[Anomaly]: ...
    def anomaly(
        self, transactions: One | Many, *, explain: bool = False
    ) -> Anomaly | list[Anomaly]:
        """Say how unusual one transaction is, or each of an iterable or a pandas frame."""
        return self._score("/anomaly", transactions, {"explain": explain}, _anomaly)

    def health(self) -> Health:
        """Return what the service says of itself now; raise if it is not ready, and never retry."""
        return self._ask("GET", "/health", _health, retries=0)

    def model(self) -> Card:
        """Return the card of the model that answers."""
        return self._ask("GET", "/model", _card, retries=self._retries)

    def _score(
        self,
        route: str,
        transactions: One | Many,
        options: Mapping[str, bool],
        result: Callable[[_Facts, _Facts, Transaction], R],
    ) -> R | list[R]:
        """Send the transactions, in batches, and read the answers."""
        query = "&".join(f"{name}=true" for name, is_set in options.items() if is_set)
        address = f"{route}?{query}" if query else route
        known = cache(self._known_names)  # asked for once, and only where a frame needs it
        if isinstance(transactions, Mapping | Series):
            return self._score_batch(address, [_mapping(transactions, known)], 0, result)[0]
        results: list[R] = []
        for batch in _batches(transactions, self._batch_rows, known):
            results += self._score_batch(address, batch, len(results), result)
        return results

    def _known_names(self) -> frozenset[str]:
        """Return what a transaction of the model may hold."""
        card = self.model()
        return frozenset([*(f["name"] for f in card.features), *card.facts["id_keys"]])

    def _score_batch(
        self,
        address: str,
        batch: Sequence[Transaction],
        first_row: int,
        result: Callable[[_Facts, _Facts, Transaction], R],
    ) -> list[R]:
        """Send one request; ``first_row`` is the number that its first row has for the caller."""

        def read(facts: _Facts) -> list[R]:
            rows = zip(facts["predictions"], batch, strict=True)
            return [result(row, facts, transaction) for row, transaction in rows]

        body = _encoded(batch, first_row)
        try:
            return self._ask("POST", address, read, body, retries=self._retries)
        except InvalidTransactionsError as error:
            error.errors = {first_row + row: fields for row, fields in error.errors.items()}
            raise

    def _ask(
        self,
        method: str,
        address: str,
        read: Callable[[_Facts], R],
        body: bytes | None = None,
        *,
        retries: int,
    ) -> R:
        """Make a request, again where that is safe, until it is answered or time is up."""
        request_id = uuid4().hex
        give_up_at = time.monotonic() + self._deadline
        attempt = 0
        while True:
            try:
                answer = self._attempt(method, address, body, request_id, give_up_at)
                return _understood(answer, read)
            except ClientError as error:
                pause = self._pause(attempt) + (error.retry_after or 0.0)
                is_late = time.monotonic() + pause >= give_up_at
                if not _may_retry(error) or attempt >= retries or is_late:
                    raise
            self._sleep(pause)
            attempt += 1

    def _attempt(
        self, method: str, address: str, body: bytes | None, request_id: str, give_up_at: float
    ) -> _Answer:
        """Make a request once."""
        left = max(give_up_at - time.monotonic(), 0.001)
        connect, read = self._timeout
        headers = {
            "X-Request-ID": request_id,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = self._url + address

        def work() -> _Answer:
            with self._session.request(
                method,
                url,
                data=body,
                headers=headers,
                timeout=(min(connect, left), min(read, left)),
                allow_redirects=False,  # a redirected POST would arrive without its body
                stream=True,
            ) as response:
                return _read(response, self._largest_answer, request_id)

        try:
            return _Attempt(work).result(left)
        except TimeoutError as error:
            detail = f"no whole answer from {url} within the deadline of {self._deadline:g} s"
            raise ServiceUnavailableError(detail, request_id=request_id) from error
        except requests.RequestException as error:
            detail = f"no answer from {url} ({type(error).__name__})"
            raise ServiceUnavailableError(detail, request_id=request_id) from error

    def _pause(self, attempt: int) -> float:
        """Return a random pause, longer on average with each attempt ("full jitter")."""
        return self._jitter() * min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempt)


class _Answer(NamedTuple):
    """What came back, read to its end."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str

    def document(self) -> Any:
        """Return the JSON of the answer; ValueError where it is none."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None


class _Attempt(Generic[R]):
    """Work in a thread of its own, so that its caller need not wait for it longer than it wants.

    The silence that a socket bears begins anew with every byte, and looking up a name has no bound
    at all: only another thread can call time. What is late is broken off where it has a connection,
    so that nothing of it stays behind.
    """

    current = threading.local()  # the attempt that a thread works for

    def __init__(self, work: Callable[[], R]) -> None:
        self._work = work
        self._connection: Any = None
        self._is_late = False
        self._results: list[R] = []
        self._error: BaseException | None = None

    def result(self, seconds: float) -> R:
        """Return or raise what the work does; raise TimeoutError where it takes longer."""
        context = copy_context()
        thread = threading.Thread(target=context.run, args=(self._run,), name=_NAME, daemon=True)
        thread.start()
        is_late = True
        try:
            thread.join(seconds)
            is_late = thread.is_alive()
        finally:
            if is_late:
                self._break_off()
        if is_late:
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._results[0]

    def use(self, connection: Any) -> None:
        """Note the connection at hand; one that came too late is not used."""
        self._connection = connection
        if self._is_late:
            raise ConnectionAbortedError("the deadline has passed")

    def _run(self) -> None:
        """Do the work and keep what becomes of it."""
        _Attempt.current.attempt = self
        try:
            self._results.append(self._work())
        except BaseException as error:
            self._error = error

    def _break_off(self) -> None:
        """Make whatever waits for the connection end now."""
        self._is_late = True  # first: a connection that is not there yet is told when it is
        sock = getattr(self._connection, "sock", None)
        if sock is not None:
            with suppress(OSError, ValueError):
                sock.shutdown(socket.SHUT_RDWR)


class _Adapter(requests.adapters.HTTPAdapter):
    """Tells each attempt which connection it uses."""

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return the connections to a host, of a kind that says when it is used."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if not hasattr(pool.ConnectionCls, "tells_attempt"):
            pool.ConnectionCls = _telling(pool.ConnectionCls)
        return pool


@cache
def _telling(kind: type) -> type:
    """Return a kind of connection that says when it is used."""

    class Telling(kind):  # type: ignore[misc]
        tells_attempt = True

        def connect(self) -> None:
            _Attempt.current.attempt.use(self)
            super().connect()
            _Attempt.current.attempt.use(self)

        def request(self, *args: Any, **options: Any) -> None:
            _Attempt.current.attempt.use(self)
            super().request(*args, **options)

    return Telling


class _Key(requests.auth.AuthBase):
    """Sends the API key; without one it keeps requests from sending what ~/.netrc holds."""

    def __init__(self, api_key: str | None) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._api_key is not None:
            request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request


def _is_address(url: str) -> bool:
    """Tell whether requests can be sent there."""
    try:
        requests.Request("GET", url).prepare()
    except ValueError:
        return False
    return urlsplit(url).scheme in ("http", "https")


def _may_retry(error: ClientError) -> bool:
    """Tell whether the same request may be answered later."""
    return isinstance(error, ServiceUnavailableError | RateLimitedError) and (
        error.status is None or error.status in _RETRIED
    )


def _read(response: requests.Response, largest: int, request_id: str) -> _Answer:
    """Read an answer to its end, unless it is larger than it may be."""
    request_id = response.headers.get("X-Request-ID") or request_id
    facts: dict[str, Any] = {"status": response.status_code, "request_id": request_id}
    coding = response.headers.get("Content-Encoding", "identity")
    if coding.lower() != "identity":
        raise UnexpectedAnswerError(f"the answer is compressed, as {coding}, unasked", **facts)
    body = bytearray()
    for piece in response.iter_content(_PIECE):
        body += piece
        if len(body) > largest:
            raise UnexpectedAnswerError(f"the answer is larger than {largest} bytes", **facts)
    reason = response.reason or ""
    return _Answer(response.status_code, reason, response.headers, bytes(body), request_id)


def _understood(answer: _Answer, read: Callable[[_Facts], R]) -> R:
    """Read an answer, or raise what it says."""
    if answer.status != 200:
        raise _problem(answer)
    try:
        return read(answer.document())
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        detail = f"the answer was not understood: {error!r}"
        raise UnexpectedAnswerError(detail, status=200, request_id=answer.request_id) from error


def _problem(answer: _Answer) -> ClientError:
    """Return the error that an answer stands for."""
    status = answer.status
    try:
        document = answer.document()
    except ValueError:
        document = None
    problem = document if isinstance(document, dict) else {}
    detail = str(problem.get("detail") or answer.reason or "no reason given")
    facts: dict[str, Any] = {
        "status": status,
        "request_id": answer.request_id,
        "retry_after": _seconds(answer.headers.get("Retry-After")),
    }
    errors = problem.get("errors")
    by_row = _row_errors(errors)
    if status == 422 and by_row:
        return InvalidTransactionsError(detail, by_row, **facts)
    if errors:
        detail = f"{detail} {json.dumps(errors)}"
    kind = ServiceUnavailableError if status >= 500 else RequestRefusedError
    return _KINDS.get(status, kind)(detail, **facts)


def _row_errors(errors: Any) -> dict[int, Mapping[str, list[str]]]:
    """Return the problems of each row, of as many as are understood."""
    rows = errors.get("transactions") if isinstance(errors, dict) else None
    return {
        int(row): fields
        for row, fields in (rows.items() if isinstance(rows, dict) else ())
        if re.fullmatch("[0-9]{1,9}", row)
        and isinstance(fields, dict)
        and all(isinstance(reasons, list) for reasons in fields.values())
    }


def _seconds(retry_after: str | None) -> float | None:
    """Read a Retry-After header: seconds, or a date."""
    if retry_after is None:
        return None
    if re.fullmatch("[0-9]+", retry_after):
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError, LookupError, ArithmeticError):
        return None


def _line(text: str) -> str:
    """Return a text as one line of bounded length, without what would control a terminal."""
    cut = text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}..."
    return "".join(sign if sign.isprintable() else " " for sign in cut)


def _batches(
    transactions: Many, size: int, known: Callable[[], frozenset[str]]
) -> Iterator[Sequence[Transaction]]:
    """Cut transactions into lists of at most so many, reading no further than that."""
    if isinstance(transactions, Frame):
        names = list(transactions.columns)
        kept = [place for place, name in enumerate(names) if name in known()]
        for place in kept:
            if names.count(names[place]) > 1:
                raise ValueError(f"the frame has the column {names[place]!r} more than once")
        for start in range(0, len(transactions), size):
            part = transactions.iloc[start : start + size, kept]
            columns = _plain_values(part).to_dict("list")
            n_rows = min(size, len(transactions) - start)
            yield [{name: columns[name][row] for name in columns} for row in range(n_rows)]
        return
    rows = iter(transactions)
    while batch := [_mapping(row, known) for row in islice(rows, size)]:
        yield batch


def _mapping(transaction: One, known: Callable[[], frozenset[str]]) -> Transaction:
    """Return a transaction as a mapping; of a Series what the model knows."""
    if not isinstance(transaction, Series):
        return transaction
    values: dict[str, Any] = _plain_values(transaction).to_dict()
    return {name: value for name, value in values.items() if name in known()}


def _plain_values(pandas: Any) -> Any:
    """Return a frame or Series of objects: missing values have many names in it, one in JSON."""
    return pandas.astype(object).where(pandas.notna(), None)


def _encoded(batch: Sequence[Transaction], first_row: int) -> bytes:
    """Write transactions as JSON; name the values that cannot be."""
    try:
        return _json(batch)
    except (TypeError, ValueError) as error:
        problems = {
            number: found
            for number, transaction in enumerate(batch, start=first_row)
            if (found := _unwritable(transaction))
        }
        if not problems:
            raise
        detail = "there are values that JSON cannot hold"
        raise InvalidTransactionsError(detail, problems) from error


def _unwritable(transaction: Transaction) -> dict[str, list[str]]:
    """Return why which values of a transaction cannot be written."""
    values = transaction if isinstance(transaction, Mapping) else {"_schema": transaction}
    problems = {}
    for name, value in values.items():
        try:
            _json({name: value})
        except (TypeError, ValueError) as error:
            problems[str(name)] = [str(error)]
    return problems


def _json(value: Any) -> bytes:
    """Write JSON, in which numbers are finite."""
    return json.dumps(value, default=_plain, allow_nan=False).encode()


def _plain(value: Any) -> Any:
    """Return what JSON can hold of a date-time, a decimal or a NumPy number."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":  # a date-time of NumPy
        return str(value)
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{value!r} of type {type(value).__name__}")


def _health(facts: _Facts) -> Health:
    """Read what the service says of itself."""
    return Health(facts["status"], _model(facts), facts)


def _card(facts: _Facts) -> Card:
    """Read the card of a model."""
    model = Model(facts["name"], facts["version"])
    return Card(model, tuple(facts["tasks"]), tuple(facts["features"]), facts)


def _prediction(row: _Facts, common: _Facts, transaction: Transaction) -> Prediction:
    """Read what /predict says of one transaction."""
    uncertainty = row.get("uncertainty")
    return Prediction(
        row["probability"],
        row["score"],
        row["decision"],
        _model(common),
        _identifiers(Prediction, row, transaction),
        (uncertainty[0], uncertainty[1]) if uncertainty else None,
        row.get("anomaly_score"),
        _reasons(row, "reasons"),
        _reasons(row, "contributions"),
    )


def _anomaly(row: _Facts, common: _Facts, transaction: Transaction) -> Anomaly:
    """Read what /anomaly says of one transaction."""
    return Anomaly(
        row["reconstruction_error"],
        row["anomaly_score"],
        row["is_anomaly"],
        common["threshold"],
        _model(common),
        _identifiers(Anomaly, row, transaction),
        _reasons(row, "contributions"),
    )


def _model(facts: _Facts) -> Model:
    """Read which model answered."""
    return Model(facts["model"]["name"], facts["model"]["version"])


def _reasons(row: _Facts, key: str) -> tuple[Reason, ...]:
    """Read the parts of a score."""
    names = [part.name for part in fields(Reason)]
    return tuple(Reason(**{name: reason[name] for name in names}) for reason in row.get(key, ()))


def _identifiers(kind: type, row: _Facts, transaction: Transaction) -> dict[str, str | int]:
    """Return what was sent with a transaction and came back."""
    known = {part.name for part in fields(kind)}
    return {key: row[key] for key in row if key in transaction and key not in known}
