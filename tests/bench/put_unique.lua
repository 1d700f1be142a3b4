-- 4 KiB PUTs, each under a key of its own, a hundred folders.
local threads = 0
function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local body = string.rep("x", 4096)
local run = os.time()
local counter = 0
function request()
  counter = counter + 1
  local path = string.format("/files/small/%02d/%d-%d-%d", counter % 100, run, id, counter)
  return wrk.format("PUT", path, nil, body)
end
