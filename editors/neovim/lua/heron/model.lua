--- Choosing the model.
local M = {}

---@type string[]?
local known

--- Names of the catalogue, from `heron models list`, which is asked once.
---@return string[]
local function list()
  if known then
    return known
  end
  local command = { require("heron.config").get().cmd[1], "models", "list" }
  local started, process = pcall(vim.system, command, { text = true })
  local result = started and process:wait(10000) or { code = 1 }
  if result.code ~= 0 then
    return {}
  end
  known = { "auto" }
  for line in vim.gsplit(result.stdout, "\n", { plain = true }) do
    local name = line:match("^([%w][%w%._%-]*)%s%s+%S")
    if name and name ~= "MODEL" then
      known[#known + 1] = name
    end
  end
  return known
end

---@param lead string
---@return string[]
function M.complete(lead)
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, list())
end

---@param name string
local function use(name)
  local options = require("heron.config").get()
  options.settings = vim.tbl_deep_extend("force", options.settings, { model = { name = name } })
  require("heron.server").send_settings()
  require("heron.server").tell("the model is " .. name .. " from now on.", vim.log.levels.INFO)
end

--- Use a model from now on; without a name, ask which.
---@param name string
function M.choose(name)
  if name ~= "" then
    return use(name)
  end
  vim.ui.select(list(), { prompt = "Model" }, function(chosen)
    if chosen then
      use(chosen)
    end
  end)
end

return M
