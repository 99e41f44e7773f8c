-- Asks `textrnn serve` as fast as it answers, by wrk, which takes little of the cores itself.
--
--     wrk -t1 -c64 -d30s --latency -s benchmarks/predict.lua \
--       http://127.0.0.1:8501/v1/models/NAME:predict -- texts.txt 16
--
-- texts.txt has one text per line; 16 is the number of texts of a request, 1 if it is left out.
-- wrk prints requests per second; the texts per second are printed below.

size = 1
local bodies, place = {}, 0

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(character)
    return string.format("\\u%04x", character:byte())
  end) .. '"'
end

function init(arguments)
  size = tonumber(arguments[2] or "1")
  local texts = {}
  for line in io.lines(arguments[1]) do
    texts[#texts + 1] = quoted(line)
    if #texts == size then
      bodies[#bodies + 1] = '{"instances": [' .. table.concat(texts, ", ") .. "]}"
      texts = {}
    end
  end
end

function request()
  place = place % #bodies + 1
  return wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, bodies[place])
end

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function done(summary, latency, _)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local texts = summary.requests * threads[1]:get("size") / (summary.duration / 1e6)
  io.write(string.format("%.0f texts/s, p50 %.1f ms, p99 %.1f ms, %d failures\n", texts,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, failed))
end
