--- :Heron and what follows it.
local M = {}

---@class heron.Invocation What a user command is given, as far as it is used here.
---@field fargs string[]
---@field range integer
---@field line1 integer
---@field line2 integer

--- The selection of a command with a range, lines from 0, the end past the last; nil without one.
---@param invocation heron.Invocation
---@return [integer, integer]?
local function selected_lines(invocation)
  return invocation.range > 0 and { invocation.line1 - 1, invocation.line2 } or nil
end

--- A subcommand that asks in the chat.
---@param command string
local function in_chat(command)
  return function(invocation, text)
    require("heron.chat").run(command, text, selected_lines(invocation))
  end
end

--- A subcommand that changes code, by the code action of that name where one is offered, else by asking in the chat.
---@param action string
---@param command string
local function by_action(action, command)
  return function(invocation, text)
    local lines = selected_lines(invocation)
    if text ~= "" then
      return require("heron.chat").run(command, text, lines)
    end
    require("heron.edit").run_action(action, lines, function()
      require("heron.chat").run(command, "", lines)
    end)
  end
end

---@type table<string, fun(invocation: heron.Invocation, text: string)>
local SUBCOMMANDS = {
  chat = function(invocation, text)
    require("heron.chat").open(text, selected_lines(invocation))
  end,
  explain = in_chat("explain"),
  fix = by_action("fix", "fix"),
  tests = by_action("tests", "tests"),
  doc = by_action("document", "doc"),
  edit = function(invocation, text)
    require("heron.edit").instruct(text, selected_lines(invocation))
  end,
  commit = function()
    require("heron.edit").commit_message()
  end,
  model = function(_, text)
    require("heron.model").choose(text)
  end,
  pause = function()
    local status = require("heron.status")
    status.pause()
    require("heron.server").tell(status.is_paused() and "paused." or "goes on.", vim.log.levels.INFO)
  end,
  status = function()
    require("heron.server").tell(require("heron.status").sentence(), vim.log.levels.INFO)
  end,
  log = function()
    vim.cmd.split(vim.fn.fnameescape(vim.lsp.log.get_filename()))
    vim.cmd("normal! G")
  end,
}

---@return string[]
local function names()
  local known = vim.tbl_keys(SUBCOMMANDS)
  table.sort(known)
  return known
end

---@param invocation heron.Invocation
function M.run(invocation)
  local server = require("heron.server")
  local name = invocation.fargs[1] or "status"
  local subcommand = SUBCOMMANDS[name]
  if not subcommand then
    return server.tell(("there is no :Heron %s. Known: %s."):format(name, table.concat(names(), ", ")))
  end
  if not require("heron.config").is_set_up() then
    return server.tell('call require("heron").setup{} first; see :help heron-setup.')
  end
  subcommand(invocation, table.concat(invocation.fargs, " ", 2))
end

--- The subcommands that begin with what was typed.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local words = vim.split(line:match("Heron!?%s+(.*)$") or "", "%s+")
  if #words > 1 then
    return words[1] == "model" and require("heron.model").complete(lead) or {}
  end
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, names())
end

return M
