/** The script that charges all limits of a call on a Redis or Valkey server: atomic, by the server's clock, and deciding
 *  as `core/src/limits` does, which a test holds it to. */

/** Numbers of a charge in `ARGV`, in order: kind, three settings of it, cost, cost of the whole call, holder of a slot.
 *  A cost below 0 gives that much back of a charge; instead of the holder there is the moment of it then, of a quota
 *  the start of its period. */
export const argumentsPerCharge = 7
/** Numbers in the reply before those of charges: 1 or 0, and the time. */
export const numbersBefore = 2
/** Numbers of a charge in the reply: fits, remaining, wait, wait for the whole call, next unit, reset, start and length
 *  of the period. -1 stands for never. Remaining of a quota is below 0 where more is used than it has. */
export const numbersPerCharge = 8

/** `KEYS`: one for each charge. `ARGV`: the time in ms (empty for the server's own; else keys are kept for
 *  a minute at least, as the server counts it), then the charges. The reply is a list
 *  of whole numbers: 1 when all fit, which are charged then, or 0; the time; then those of each charge. */
export const chargeScript = `
local now, leastMs = tonumber(ARGV[1]), 60000
if now == nil then
  leastMs = 1
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function text(number) return string.format('%.0f', number) end
local function keep(key, value, ms)
  redis.call('SET', key, value, 'PX', text(math.max(leastMs, math.ceil(ms))))
end

local function gcra(key, limit, period, burst)
  local debt, at = 0, now
  local stored = redis.call('GET', key)
  if stored then
    local d, a = string.match(stored, '^(%d+) (%d+)$')
    debt, at = tonumber(d), tonumber(a)
  end
  local before = math.max(0, debt - math.max(0, now - at) * limit)
  local capacity = burst * period
  local self = { back = at > now }
  function self.fits(cost) return before + cost * period <= capacity end
  function self.wait(cost)
    if self.fits(cost) then return 0 end
    if cost * period > capacity then return -1 end
    return math.ceil((before + cost * period - capacity) / limit)
  end
  function self.stand(cost)
    local after = before + cost * period
    local room = capacity - after
    local nextUnit = 0
    if after > 0 then nextUnit = math.ceil(math.min(period - room % period, after) / limit) end
    return math.floor(room / period), nextUnit, math.ceil(after / limit), 0, 0
  end
  function self.save(cost)
    local after = before + cost * period
    keep(key, text(after) .. ' ' .. text(now), after / limit)
  end
  -- What the key regained since the charge is not given twice.
  function self.give(cost, since)
    if not stored then return end
    before = math.max(0, before - math.max(0, cost * period - math.max(0, now - since) * limit))
    self.save(0)
  end
  return self
end

local function window(key, limit, period, slice)
  local slices, spent, back = {}, 0, 0
  local stored = redis.call('GET', key)
  if stored then
    local at, list = string.match(stored, '^(%d+)|(.*)$')
    back = math.max(0, tonumber(at) - now)
    for e, u in string.gmatch(list, '(-?%d+):(%d+)') do
      local finish, units = tonumber(e) - back, tonumber(u)
      if finish + period > now then
        slices[#slices + 1] = { finish, units }
        spent = spent + units
      end
    end
  end
  local self = { back = back > 0 }
  function self.fits(cost) return spent + cost <= limit end
  function self.wait(cost)
    if self.fits(cost) then return 0 end
    local missing, freed = spent + cost - limit, 0
    for _, one in ipairs(slices) do
      freed = freed + one[2]
      if freed >= missing then return one[1] + period - now end
    end
    return -1
  end
  local function add(cost)
    if cost == 0 then return end
    local newest = slices[#slices]
    if newest and newest[1] > now then newest[2] = newest[2] + cost
    else slices[#slices + 1] = { now + slice, cost } end
    spent = spent + cost
  end
  function self.save(cost) add(cost)
    local list = {}
    for i, one in ipairs(slices) do list[i] = text(one[1]) .. ':' .. text(one[2]) end
    if #slices == 0 then redis.call('DEL', key)
    else keep(key, text(now) .. '|' .. table.concat(list, ','), slices[#slices][1] + period - now) end
  end
  function self.give(cost, since)
    for i, one in ipairs(slices) do
      if one[1] > since and one[1] <= since + slice then
        local given = math.min(cost, one[2])
        one[2], spent = one[2] - given, spent - given
        if one[2] == 0 then table.remove(slices, i) end
        break
      end
    end
    if stored then self.save(0) end
  end
  -- After \`save\` where something was charged.
  function self.stand()
    local oldest, newest = slices[1], slices[#slices]
    if oldest == nil then return math.max(0, limit - spent), 0, 0, 0, 0 end
    return math.max(0, limit - spent), oldest[1] + period - now, newest[1] + period - now, 0, 0
  end
  return self
end

-- Days since 1970 of the first of a month (proleptic Gregorian calendar).
local function firstOf(year, month)
  if month > 12 then year, month = year + 1, 1 end
  local y = year
  if month <= 2 then y = y - 1 end
  local era = math.floor(y / 400)
  local yoe = y - era * 400
  local mp = (month + 9) % 12
  local doy = math.floor((153 * mp + 2) / 5)
  return era * 146097 + yoe * 365 + math.floor(yoe / 4) - math.floor(yoe / 100) + doy - 719468
end
local dayMs = 86400000
local function span(per, at)
  local days = math.floor(at / dayMs)
  if per == 'day' then return days * dayMs, (days + 1) * dayMs end
  local z = days + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local month = (mp + 2) % 12 + 1
  local year = yoe + era * 400
  if month <= 2 then year = year + 1 end
  return firstOf(year, month) * dayMs, firstOf(year, month + 1) * dayMs
end

local function quota(key, units, per)
  local start, finish = span(per, now)
  local used, back, begun, kept = 0, false, nil, 0
  local stored = redis.call('GET', key)
  if stored then
    local s, u = string.match(stored, '^(-?%d+) (%d+)$')
    begun, kept = tonumber(s), tonumber(u)
    if tonumber(s) >= start then
      used, back = tonumber(u), tonumber(s) > finish
      if not back then start, finish = span(per, tonumber(s)) end
    end
  end
  local self = { back = back }
  function self.fits(cost) return used + cost <= units end
  function self.wait(cost)
    if self.fits(cost) then return 0 end
    if cost > units then return -1 end
    return finish - now
  end
  function self.stand(cost)
    local after = used + cost
    local back = 0
    if after > 0 then back = finish - now end
    return units - after, back, back, start, finish - start
  end
  -- Kept a day longer than it counts: the clock may be set back.
  function self.save(cost) keep(key, text(start) .. ' ' .. text(used + cost), finish - now + dayMs) end
  function self.give(cost, since)
    if begun == nil or begun ~= since then return end
    used, self.back = math.max(0, used - cost), false
    -- Of the period that it is of, also of one that is over: it counts again where the clock is set back.
    local _, over = span(per, begun)
    keep(key, text(begun) .. ' ' .. text(math.max(0, kept - cost)), over - now + dayMs)
  end
  return self
end

local function slots(key, most, lease, holder)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', text(now))
  local running = redis.call('ZCARD', key)
  local self = { back = false }
  function self.fits(cost) return cost == 0 or running + 1 <= most end
  function self.wait(cost) if self.fits(cost) then return 0 end return 1000 end
  function self.stand(cost)
    return math.max(0, most - running - math.min(1, cost)), 0, 0, 0, 0
  end
  function self.save()
    redis.call('ZADD', key, text(now + lease), holder)
    redis.call('PEXPIRE', key, text(lease))
  end
  return self
end

local charges, allowed = {}, true
for i, key in ipairs(KEYS) do
  local at = 2 + (i - 1) * ${argumentsPerCharge}
  local kind, a, b, c = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local limit
  if kind == 'g' then limit = gcra(key, a, b, c)
  elseif kind == 'w' then limit = window(key, a, b, c)
  elseif kind == 'q' then limit = quota(key, a, ARGV[at + 2])
  else limit = slots(key, a, b, ARGV[at + 6]) end
  local cost = tonumber(ARGV[at + 4])
  if cost < 0 then
    limit.give(-cost, tonumber(ARGV[at + 6]))
    cost = 0
  end
  charges[i] = { limit, cost, tonumber(ARGV[at + 5]) }
  if not limit.fits(charges[i][2]) then allowed = false end
end
local reply = { allowed and 1 or 0, now }
for _, charge in ipairs(charges) do
  local limit, cost, again = charge[1], charge[2], charge[3]
  local fits, wait, waitAgain = limit.fits(cost), limit.wait(cost), limit.wait(again)
  local taken = allowed and cost or 0
  -- A clock that was set back goes on from where it is.
  if taken > 0 or (limit.back and not allowed) then limit.save(taken) end
  local remaining, nextUnit, reset, start, length = limit.stand(taken)
  for _, number in ipairs({ fits and 1 or 0, remaining, wait, waitAgain, nextUnit, reset, start, length }) do
    reply[#reply + 1] = number
  end
end
return reply
`

/** Lengthens the leases of slots: `KEYS` in turn with the holders in `ARGV`, after the length in ms. What was given back
 *  is not taken again. */
export const renewScript = `
local time = redis.call('TIME')
local lease = tonumber(ARGV[1])
local till = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + lease
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, 'XX', string.format('%.0f', till), ARGV[i + 1])
  redis.call('PEXPIRE', key, string.format('%.0f', lease))
end
return 1
`
