"""Counting a request against all its limits in one call of Redis.

flask-limiter asks for each limit, and once more for what is left of it. What lies in Redis is what
its library keeps there, by the same keys: requests that it counts and those counted here add up.
"""

import time
from collections.abc import Sequence
from functools import lru_cache

from limits import RateLimitItem
from limits.storage import RedisStorage
from limits.util import WindowStats
from redis.commands.core import Script

# Each key holds the moments of the requests that count, newest first.
_HIT = """
local now, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
local function limit_of(number)
    return tonumber(ARGV[2 * number + 1]), tonumber(ARGV[2 * number + 2])
end
local function counts(key, place, seconds)
    local moment = redis.call('lindex', key, place)
    return moment and tonumber(moment) >= now - seconds
end

for number, key in ipairs(KEYS) do
    local most, seconds = limit_of(number)
    if cost > most or counts(key, most - cost, seconds) then
        return false
    end
end
for number, key in ipairs(KEYS) do
    local most, seconds = limit_of(number)
    for _ = 1, cost do
        redis.call('lpush', key, ARGV[1])
    end
    redis.call('ltrim', key, 0, most - 1)
    redis.call('expire', key, seconds)
end

local _, seconds = limit_of(1)
local oldest, last = 0, redis.call('llen', KEYS[1]) - 1
while oldest < last do
    local middle = math.ceil((oldest + last) / 2)
    if counts(KEYS[1], middle, seconds) then
        oldest = middle
    else
        last = middle - 1
    end
end
return {redis.call('lindex', KEYS[1], oldest), oldest + 1}
"""


def hit(
    storage: RedisStorage,
    limits: Sequence[RateLimitItem],
    caller: str,
    endpoint: str,
    cost: int = 1,
) -> WindowStats | None:
    """Count so many requests against every limit; what is then left of the first one.

    None where a limit forbids them: nothing is counted then.

    :raises RedisError: or OSError, if Redis does not answer.
    """
    keys = [storage.prefixed_key(limit.key_for(caller, endpoint)) for limit in limits]
    bounds = [bound for limit in limits for bound in (limit.amount, limit.get_expiry())]
    found = _script(storage)(keys, [time.time(), cost, *bounds])
    if found is None:
        return None
    oldest, count = found
    return WindowStats(float(oldest) + limits[0].get_expiry(), limits[0].amount - count)


@lru_cache(maxsize=8)
def _script(storage: RedisStorage) -> Script:
    script: Script = storage.get_connection().register_script(_HIT.encode())
    return script
