-- Clients that keep their connections, ask, wait a moment, and ask again.
local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(args)
   asked, answered = 0, 0
end

function delay()
   return 300
end

function request()
   asked = asked + 1
   return wrk.format()
end

function response(status)
   if status == 200 then
      answered = answered + 1
   end
end

function done(summary, latency, requests)
   local asked, answered = 0, 0
   for _, thread in ipairs(threads) do
      asked = asked + thread:get("asked")
      answered = answered + thread:get("answered")
   end
   io.write(string.format(
      '{"asked": %d, "answered": %d, "late": %d, "median_us": %d, "p99_us": %d, "max_us": %d}\n',
      asked, answered, summary.errors.timeout, latency:percentile(50), latency:percentile(99),
      latency.max))
end
