--- The language server as Neovim's client knows it: its configuration, what happens on attach, and asking it.
local M = {}

local NAME = "heron"

--- Settings without empty tables, which JSON would turn into lists.
---@param settings table
---@return table
local function pruned(settings)
  local kept = vim.empty_dict()
  for key, value in pairs(settings) do
    local inner = type(value) == "table" and not vim.islist(value) and pruned(value) or value
    if type(inner) ~= "table" or next(inner) ~= nil then
      kept[key] = inner
    end
  end
  return kept
end

--- The user's settings; while completions are paused, without them.
---@return table
local function wanted_settings()
  local settings = require("heron.config").get().settings
  local paused = { completion = { enabled = false } }
  return pruned(require("heron.status").is_paused() and vim.tbl_deep_extend("force", settings, paused) or settings)
end

---@param client vim.lsp.Client
---@param buf integer
local function on_attach(client, buf)
  if not require("heron.status").is_paused() then
    require("heron.completion").attach(buf)
  end
  require("heron.diagnostics").tell(client, buf)
  if buf == vim.api.nvim_get_current_buf() then
    require("heron.cursor").tell(client, buf)
  end
end

local HANDLERS = {
  ["heron/status"] = function(_, params)
    require("heron.status").take(params)
  end,
  ["$/progress"] = function(failure, params, context)
    return require("heron.progress").take(failure, params, context)
  end,
}

--- Commands of code actions that are a question: it is asked in the chat.
local COMMANDS = {
  ["heron.explain"] = function(command)
    local asked = command.arguments and command.arguments[1] or {}
    local range = asked.selection
    local lines = range and { range.start.line, range["end"].line + (range["end"].character > 0 and 1 or 0) }
    local is_empty = not lines or lines[2] <= lines[1]
    require("heron.chat").run("explain", asked.message or "", not is_empty and lines or nil)
  end,
}

--- Start the server for files that are opened from now on, and for those that are open.
---@param options heron.Options
function M.enable(options)
  local filetypes = #options.filetypes > 0 and options.filetypes or nil
  vim.lsp.config(NAME, {
    cmd = options.cmd,
    filetypes = filetypes,
    root_markers = options.root_markers,
    before_init = function(params)
      params.initializationOptions = wanted_settings()
    end,
    capabilities = { textDocument = { inlineCompletion = { dynamicRegistration = false } } },
    handlers = HANDLERS,
    commands = COMMANDS,
    on_attach = on_attach,
    on_exit = function(code)
      vim.schedule(function()
        require("heron.status").left(code)
      end)
    end,
  })
  vim.lsp.enable(NAME)
  require("heron.diagnostics").follow()
  require("heron.cursor").follow()
end

--- The server of a buffer, or else any; nil where none runs.
---@param buf? integer
---@return vim.lsp.Client?
function M.client(buf)
  local attached = vim.lsp.get_clients({ bufnr = buf or 0, name = NAME })[1]
  return attached or vim.lsp.get_clients({ name = NAME })[1]
end

--- The server, or a sentence for people that there is none.
---@param buf? integer
---@return vim.lsp.Client?
function M.need(buf)
  local client = M.client(buf)
  if not client then
    M.tell("the server does not run. Open a file it is for; :checkhealth heron says what is wrong.")
  end
  return client
end

--- Tell the servers that run what settings are wanted now.
function M.send_settings()
  for _, client in ipairs(vim.lsp.get_clients({ name = NAME })) do
    client:notify("workspace/didChangeConfiguration", { settings = { heron = wanted_settings() } })
  end
end

--- Say something to the user.
---@param message string
---@param level? integer
function M.tell(message, level)
  vim.notify("Heron: " .. message, level or vim.log.levels.WARN)
end

--- Request, and say what went wrong if anything did. `done` is called with the result alone.
---@param client vim.lsp.Client
---@param method string
---@param params table
---@param done fun(result: any)
---@return integer? request for cancelling
function M.ask(client, method, params, done)
  local _, id = client:request(method, params, function(failure, result)
    if failure then
      return M.tell(failure.message)
    end
    done(result)
  end)
  return id
end

return M
