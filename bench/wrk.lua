-- Sends the requests of a file in turn, and prints what came of them as one line of JSON.
--
--     wrk ... -- FILE ROUND
--
-- The file holds whole requests, each behind a line with its length in bytes. Each thread begins at
-- another place of it, and in each round at another one. Ten hash signs in a request become a number
-- of ten digits that is never used twice.

local UNIQUE = "##########"
local GOLDEN = 0.618
local ROUND, THREAD = 10000000, 1000000

local threads = 0

function setup(thread)
   thread:set("thread", threads)
   threads = threads + 1
end

function init(args)
   requests = {}
   local file = assert(io.open(args[1], "rb"))
   for length in function() return file:read("*l") end do
      local request = file:read(tonumber(length))
      local first, last = request:find(UNIQUE, 1, true)
      if first then
         request = { request:sub(1, first - 1), request:sub(last + 1) }
      end
      requests[#requests + 1] = request
   end
   file:close()
   local round = tonumber(args[2])
   place = math.floor((thread / 2 + round * GOLDEN) % 1 * #requests)
   number = round * ROUND + thread * THREAD
end

function request()
   place = place % #requests + 1
   local chosen = requests[place]
   if type(chosen) == "string" then
      return chosen
   end
   number = number + 1
   return chosen[1] .. string.format("%010d", number) .. chosen[2]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "lost": %d}\n',
      summary.requests,
      summary.duration / 1e6,
      latency:percentile(50) / 1000,
      latency:percentile(99) / 1000,
      errors.status,
      errors.connect + errors.read + errors.write + errors.timeout
   ))
end
