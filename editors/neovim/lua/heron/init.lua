--- Heron: completions, chat and edits by a model on your own machine.
local M = {}

local function start()
  require("heron.server").enable(require("heron.config").get())
end

--- Start Heron for the files you open. Call it once, from init.lua.
---@param options? heron.Options
function M.setup(options)
  if vim.fn.has("nvim-0.11") == 0 then
    error("Heron needs Neovim 0.11 or newer; this is " .. tostring(vim.version()) .. ".", 0)
  end
  local config = require("heron.config")
  config.apply(options)
  vim.api.nvim_set_hl(0, "HeronGhost", { link = "Comment", default = true })
  if vim.v.vim_did_enter == 1 then
    return start()
  end
  -- Loading Neovim's client takes 15 ms, for which its start should not wait.
  vim.api.nvim_create_autocmd("VimEnter", { once = true, callback = vim.schedule_wrap(start) })
end

--- The server's state in a few words, for a status line: `%{v:lua.require'heron'.statusline()}`.
---@return string
function M.statusline()
  return require("heron.status").line()
end

return M
