-- Sends the requests of the file $REPLAY in turn; $REPLAY.lengths has the length of each on a line.
local requests = {}
for line in io.lines(os.getenv("REPLAY") .. ".lengths") do requests[#requests + 1] = tonumber(line) end
local file = io.open(os.getenv("REPLAY"), "rb")
for i, length in ipairs(requests) do requests[i] = file:read(length) end
file:close()

local next_one = 0
function request()
  next_one = next_one % #requests + 1
  return requests[next_one]
end
