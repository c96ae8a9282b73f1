--- :checkhealth heron
local M = {}

local health = vim.health

local function check_neovim()
  health.start("Neovim")
  if vim.fn.has("nvim-0.11") == 0 then
    return health.error("Heron needs Neovim 0.11 or newer.")
  end
  local builtin = require("heron.completion").is_builtin()
  health.ok(("Neovim %s; completions are drawn by %s"):format(vim.version(), builtin and "Neovim" or "Heron"))
end

local function check_setup()
  health.start("Setup")
  if require("heron.config").is_set_up() then
    health.ok("require('heron').setup() was called")
  else
    health.error("setup was not called", { "Add require('heron').setup({}) to init.lua." })
  end
end

---@param command string
---@return boolean
local function check_command(command)
  health.start("Server")
  if vim.fn.executable(command) == 0 then
    health.error(("`%s` is not on PATH"):format(command), {
      "Install it: python -m pip install heron-lsp",
      "Or give its full path: setup({ cmd = { '/path/to/heron', 'lsp' } }).",
    })
    return false
  end
  local result = vim.system({ command, "--version" }, { text = true }):wait(10000)
  if result.code ~= 0 then
    health.error(("`%s --version` failed"):format(command), { vim.trim(result.stderr or "") })
    return false
  end
  health.ok(("%s at %s"):format(vim.trim(result.stdout), vim.fn.exepath(command)))
  return true
end

local function check_client()
  local clients = vim.lsp.get_clients({ name = "heron" })
  if #clients == 0 then
    return health.warn("the server does not run in this Neovim", { "Open a file it is for." })
  end
  for _, client in ipairs(clients) do
    local count = vim.tbl_count(client.attached_buffers)
    local buffers = count == 1 and "1 buffer" or count .. " buffers"
    health.ok(("it runs for %s, root %s"):format(buffers, client.root_dir or "none"))
  end
end

local function check_model()
  health.start("Model")
  local status = require("heron.status")
  local report = ({ ready = health.ok, failed = health.error })[status.now().state] or health.info
  report(status.sentence())
end

local function check_keys()
  health.start("Keys")
  for name, lhs in vim.spairs(require("heron.config").get().keys) do
    local before = lhs and vim.fn.maparg(lhs, "i", false, true) or {}
    local other = before.buffer ~= 1 and (before.rhs or before.desc)
    health.info(("%s: %s%s"):format(name, lhs or "none", other and (" (else: %s)"):format(other) or ""))
  end
end

function M.check()
  check_neovim()
  check_setup()
  if check_command(require("heron.config").get().cmd[1]) then
    check_client()
    check_model()
  end
  check_keys()
end

return M
