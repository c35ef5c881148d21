-- Asks Scopekey about each request. HAProxy has no check of its own kind, but since 2.5 an HTTP client for Lua.
-- Made by `scopekey gateway config haproxy --file scopekey.lua`, and loaded by haproxy.cfg beside it.

local URL = "<<check_url>>"
-- The Unix socket to ask over; nil: the host and port of the address.
local DST = <<check_dst>>
-- Milliseconds for the whole answer.
local PATIENCE = 2000

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
  -- Nobody answered, or half of it: the rule after this one says no.
  if not answer or not answer.status or answer.status < 200 then return end
  local headers = answer.headers or {}

  if answer.status == 200 then
    -- Somebody else than Scopekey.
    if not headers["scopekey-key-id"] then return end
    for _, name in ipairs(KEPT) do
      if headers[name] then txn:set_var("txn." .. name:gsub("-", "_"), headers[name][0]) end
    end
    txn:set_var("txn.scopekey", "allowed")
    return
  end

  local refusal = txn:reply{ status = answer.status, body = answer.body or "" }
  for name, values in pairs(headers) do
    if not OF_THE_CONNECTION[name] then
      for _, value in ipairs(lines(values)) do refusal:add_header(name, value) end
    end
  end
  txn:done(refusal)
end

core.register_action("scopekey", { "http-req" }, check, 0)
