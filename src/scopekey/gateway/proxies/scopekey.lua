-- Asks Scopekey about each request. HAProxy has no check of its own kind, but since 2.5 an HTTP client for Lua.
-- Made by `scopekey gateway config haproxy --file scopekey.lua`, and loaded by haproxy.cfg, which says where it stands.

local URL = "<<check_url>>"
-- The Unix socket to ask over; nil: the host and port of the address.
local DST = <<check_dst>>
-- Milliseconds. HAProxy's client asks up to four times before it gives up; 2.6 has no setting for that.
local PATIENCE = 1000

-- Bytes of an answer that fit into HAProxy's buffer of 16 KiB (tune.bufsize), with what it adds of its own.
local ROOM = 12000

-- What Scopekey looks at, and nothing else of the client's.
local ASKED = {
  "authorization", "x-api-key", "x-request-id", "origin", "access-control-request-method", "scopekey-position",
}
-- What an allowed answer says, kept for the rules in haproxy.cfg.
local KEPT = {
  "scopekey-key-id", "scopekey-organization", "scopekey-environment", "scopekey-used", "scopekey-requires",
  "scopekey-key-expires", "scopekey-missing", "x-request-id",
}
-- What belongs to the connection with Scopekey, not to its answer. HAProxy counts the document's length itself.
local OF_THE_CONNECTION = { ["connection"] = true, ["content-length"] = true, ["transfer-encoding"] = true }

-- HAProxy counts the lines of a field from 0, and its client takes them from 1. All lines are told: of two keys
-- Scopekey makes a refusal.
local function lines(field)
  local found, at = {}, 0
  while field[at] do
    found[#found + 1] = field[at]
    at = at + 1
  end
  return found
end

-- The document without its lists, which stand in header fields as well.
local function in_short(status, headers)
  local code = headers["scopekey-code"] and headers["scopekey-code"][0] or "unavailable"
  return '{"type":"urn:scopekey:problem:' .. code .. '","status":' .. status .. ',"code":"' .. code .. '"}'
end

local function check(txn)
  local client = txn.http:req_get_headers()
  local told = {
    ["host"] = { "scopekey" },
    ["x-original-method"] = { txn.sf:method() },
    -- The path and query as the client wrote them, also of an absolute target and over HTTP/2.
    ["x-original-uri"] = { txn.sf:pathq() },
    ["x-original-client"] = { txn.sf:src() },
  }
  for _, name in ipairs(ASKED) do
    if client[name] then told[name] = lines(client[name]) end
  end

  local answer = core.httpclient():get{ url = URL, dst = DST, headers = told, timeout = PATIENCE }
  -- Nobody answered: the rule after this one says no.
  if not answer or not answer.status then return end
  local headers = answer.headers or {}

  -- Each yes and each no of Scopekey has its mark. What has none is somebody else's, or HAProxy's own.
  if answer.status == 200 then
    if not headers["scopekey-key-id"] then return end
    for _, name in ipairs(KEPT) do
      if headers[name] then txn:set_var("txn." .. name:gsub("-", "_"), headers[name][0]) end
    end
    txn:set_var("txn.scopekey", "allowed")
    return
  end

  if not headers["scopekey-code"] then
    -- A server in front of Scopekey could not read the question: a field of the client's that HAProxy let through.
    if answer.status == 400 then txn:done(txn:reply{ status = 400 }) end
    return
  end
  local said, size, body = {}, 0, answer.body or ""
  for name, values in pairs(headers) do
    if not OF_THE_CONNECTION[name] then
      for _, value in ipairs(lines(values)) do
        said[#said + 1] = { name, value }
        size = size + #name + #value
      end
    end
  end
  if size + #body > ROOM then body = in_short(answer.status, headers) end
  local refusal = txn:reply{ status = answer.status, body = body }
  for _, pair in ipairs(said) do refusal:add_header(pair[1], pair[2]) end
  txn:done(refusal)
end

core.register_action("scopekey", { "http-req" }, check, 0)
