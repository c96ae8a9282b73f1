--- The state of the server and its model, and pausing completions.
local M = {}

---@class heron.Status
---@field state "stopped"|"starting"|"downloading"|"compiling"|"loading"|"ready"|"failed"
---@field model string
---@field message string
---@field fraction? number

---@type heron.Status
local now = { state = "stopped", model = "", message = "" }
local paused = false

local function changed()
  vim.cmd.redrawstatus({ bang = true })
  vim.api.nvim_exec_autocmds("User", { pattern = "HeronStatus", modeline = false })
end

--- What the server told.
---@param params heron.Status
function M.take(params)
  local fraction = params.fraction ~= vim.NIL and params.fraction or nil
  now = { state = params.state, model = params.model, message = params.message, fraction = fraction }
  changed()
end

--- The server left.
---@param code integer its exit code
function M.left(code)
  if vim.v.exiting ~= vim.NIL then
    return
  end
  local message = code == 0 and "" or ("The server left with code %d; :Heron log shows why."):format(code)
  now = { state = "stopped", model = "", message = message }
  changed()
end

---@return heron.Status
function M.now()
  return now
end

---@return boolean
function M.is_paused()
  return paused
end

--- A few words for a status line.
---@return string
function M.line()
  local shown = paused and "paused" or now.state
  local share = now.fraction and not paused and (" %d%%"):format(math.floor(now.fraction * 100)) or ""
  -- A status line reads % as its own; `%{…}` does not, and is how this is meant to be called.
  return "Heron " .. shown .. share
end

--- A sentence for people.
---@return string
function M.sentence()
  local model = now.model ~= "" and (" (%s)"):format(now.model) or ""
  local message = now.message ~= "" and ": " .. now.message or ""
  return (paused and "paused, " or "") .. now.state .. model .. message
end

--- Pause completions, or go on with them. Chat and edits work all the same.
---@param pause? boolean the opposite of now, if not given
function M.pause(pause)
  paused = pause == nil and not paused or pause == true
  require("heron.server").send_settings()
  for _, client in ipairs(vim.lsp.get_clients({ name = "heron" })) do
    for buf in pairs(client.attached_buffers) do
      require("heron.completion")[paused and "detach" or "attach"](buf)
    end
  end
  changed()
end

return M
