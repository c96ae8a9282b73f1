-- Runs one spec in this Neovim's own main loop, so that typed keys, timers and the server go on beside it.
vim.opt.runtimepath:prepend(vim.env.SPEC_PLUGIN)
vim.opt.runtimepath:append(vim.fs.dirname(vim.env.SPEC))
vim.opt.swapfile = false
vim.opt.shortmess:append("F")
package.path = vim.fs.dirname(vim.env.SPEC) .. "/?.lua;" .. package.path

local harness = require("harness")
local options = vim.json.decode(vim.env.SPEC_OPTIONS)

if vim.env.SPEC_EARLY then -- as from a user's init.lua, with a file that is opened at once
  local before, before_s = vim.uv.hrtime(), os.clock()
  vim.cmd.runtime("plugin/heron.lua")
  require("heron").setup(options)
  harness.notes.start_ms = (vim.uv.hrtime() - before) / 1e6
  harness.notes.start_cpu_ms = (os.clock() - before_s) * 1e3 -- without what else the machine did meanwhile
end

vim.api.nvim_create_autocmd("VimEnter", {
  once = true,
  callback = vim.schedule_wrap(function() -- within an autocommand no other would run
    harness.run(dofile(vim.env.SPEC), options, vim.env.SPEC_OUT)
  end),
})
