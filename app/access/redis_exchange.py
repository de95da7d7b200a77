"""What the workers have counted, exchanged through Redis beside the requests.

A thread tells Redis every 50 ms what this worker has counted since, and learns what all have
counted together. It alone resolves names, connects and waits. While Redis fails, each worker counts
by itself, which refuses nobody whom all together would have let pass.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock, Thread

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.access.counters import Counter
from model.errors import ConfigurationError

logger = logging.getLogger(__name__)

EXCHANGE_S = 0.05  # between two exchanges
ANSWER_S = 2.0  # after which an exchange has failed, with all of its look-ups and connections
HEARTBEAT_S = 1.0  # between two exchanges where there is nothing to tell, and after a failure
_SOCKET_TIMEOUT_S = 1.0
_WATCH_S = 0.25
_MOST_AT_ONCE = 500  # so that neither Redis nor the interpreter is busy with it for long
_MOST_UNTOLD = 20_000  # where more is counted than can be told, the rest stays in this worker

_SCHEMES = ("redis://", "rediss://", "redis+unix://")
# A counter that is new in Redis ends when the window of the worker does that made it. The numbers
# travel as one text, which takes the interpreter less than half as long as a list.
_SCRIPT = """
local answer = {}
for new, window in string.gmatch(ARGV[1], '(%d+) (%d+)') do
  local key = KEYS[#answer + 1]
  local total = redis.call('INCRBY', key, new)
  local left = redis.call('PTTL', key)
  if left < 0 then
    left = tonumber(window)
    redis.call('PEXPIRE', key, left)
  end
  answer[#answer + 1] = string.format('%d %d', total, left)
end
return table.concat(answer, ' ')
"""
# Where there is nothing to tell, this is written, to learn early that Redis lets nobody write.
_HEARTBEAT = "fraudscore:LIMITER/heartbeat", "0 60000"


class RedisExchange:
    """Tells Redis and learns from it. ``lock`` is the one under which requests are counted.

    What was counted while Redis failed is not told later: the windows of the workers began at
    different times then, and one client's use of the first half could be held against its second.
    """

    def __init__(self, url: str, lock: Lock, clock: Callable[[], float] = time.monotonic) -> None:
        self.failures = 0  # how often an exchange failed
        self._redis = _client(url)
        self._ask = self._redis.register_script(_SCRIPT)
        self._lock = lock
        self._clock = clock
        self._untold: list[Counter] = []
        self._is_shared: bool | None = None  # whether the last exchange went well, if there was one
        self._answered_at = float("-inf")
        self._asked_at: float | None = None
        self._is_open = False

    def open(self) -> None:
        """Begin to exchange; with daemons, since a process that ends waits for no name server."""
        with self._lock:
            if self._is_open:
                return
            self._is_open = True
        Thread(target=self._exchange_again, name="rate limits", daemon=True).start()
        Thread(target=self._watch, name="rate limits watch", daemon=True).start()

    def tell(self, counters: list[Counter]) -> None:
        """Note what has been counted, with the lock held."""
        if not self._is_shared:
            return
        for counter in counters:
            if counter.untold or len(self._untold) < _MOST_UNTOLD:
                counter.untold += 1
                if counter.untold == 1:
                    self._untold.append(counter)

    def exchange(self) -> bool:
        """Tell what is new and learn what all have counted; return whether that went well."""
        with self._lock:
            now = self._clock()
            taken = self._untold[:_MOST_AT_ONCE]
            del self._untold[:_MOST_AT_ONCE]
            told = [(counter, counter.untold) for counter in taken if counter.end > now]
            for counter in taken:
                counter.untold = 0
            if not told and now < self._answered_at + HEARTBEAT_S:
                return True
            self._asked_at = now
        try:
            answer = self._call(told, now)
        except Exception as error:  # whatever it is: without this thread nothing would be shared
            self._redis.connection_pool.disconnect()  # the next connection looks up the name again
            if self._ends_in_time():
                self._note_failure(type(error).__name__)  # its text could repeat the password
            return False
        if not self._ends_in_time():
            return False
        with self._lock:
            for (counter, _), (total, left_ms) in zip(told, answer, strict=False):
                counter.table.learn(counter, total, now + left_ms / 1000)
        self._note_success(now)
        return True

    def _call(self, told: list[tuple[Counter, int]], now: float) -> list[tuple[int, int]]:
        """Ask Redis for the total of each counter, and for how many milliseconds it counts on."""
        names, news = [_HEARTBEAT[0]], [_HEARTBEAT[1]]
        if told:
            names = [counter.table.shared_name(counter.client) for counter, _ in told]
            lefts_ms = [max(1, int((counter.end - now) * 1000)) for counter, _ in told]
            news = [f"{new} {left_ms}" for (_, new), left_ms in zip(told, lefts_ms, strict=True)]
        numbers = [int(number) for number in self._ask(names, [" ".join(news)]).split()]
        if len(numbers) != 2 * len(names):
            raise ValueError("this is no answer of our script")
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    def _ends_in_time(self) -> bool:
        """Note that an exchange has ended; return False where it was given up before."""
        with self._lock:
            is_in_time = self._asked_at is not None
            self._asked_at = None
        return is_in_time

    def give_up_late(self) -> None:
        """Give up an exchange that takes too long; one that waits for a name ends by itself."""
        with self._lock:
            if self._asked_at is None or self._clock() < self._asked_at + ANSWER_S:
                return
            self._asked_at = None
        self._note_failure(f"no answer within {ANSWER_S:g} s")
        self._redis.connection_pool.disconnect()

    def _note_failure(self, problem: str) -> None:
        """Let this worker count alone; log only the first time."""
        with self._lock:
            self.failures += 1
            is_new = self._is_shared is not False
            self._is_shared = False
            self._answered_at = float("-inf")
            for counter in self._untold:
                counter.untold = 0
            self._untold.clear()
        if is_new:
            logger.error("Redis fails (%s): each worker counts rate limits alone", problem)

    def _note_success(self, now: float) -> None:
        """Count with the other workers; log where that was not so before."""
        with self._lock:
            was_alone = self._is_shared is False
            self._is_shared = True
            self._answered_at = now
        if was_alone:
            logger.info("Redis answers again: rate limits are counted over all workers")

    def _exchange_again(self) -> None:
        """Exchange for as long as the process lives."""
        while True:
            time.sleep(EXCHANGE_S if self.exchange() else HEARTBEAT_S)

    def _watch(self) -> None:
        """Look after the thread that waits for Redis."""
        while True:
            time.sleep(_WATCH_S)
            self.give_up_late()


def _client(url: str) -> Redis:
    """Return a client that has not connected yet, so that no fork shares a socket."""
    problem = "FRAUDSCORE_REDIS_URL must be like redis://host:6379/0"
    if not url.startswith(_SCHEMES):
        raise ConfigurationError(problem)
    try:
        client = Redis.from_url(
            url.removeprefix("redis+"),
            socket_timeout=_SOCKET_TIMEOUT_S,
            socket_connect_timeout=_SOCKET_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        client.connection_pool.make_connection()  # which looks at the options of the address,
        client.connection_pool.reset()  # and is not to count as one of the connections
    except (ValueError, TypeError):  # their text would repeat the address with its password
        raise ConfigurationError(problem) from None
    return client
