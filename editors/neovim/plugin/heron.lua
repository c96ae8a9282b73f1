-- Defines :Heron and nothing else. All that it does is loaded when it is first used.
if vim.g.loaded_heron then
  return
end
vim.g.loaded_heron = true

vim.api.nvim_create_user_command("Heron", function(invocation)
  require("heron.command").run(invocation)
end, {
  nargs = "*",
  range = true,
  desc = "Heron, the local code model: chat, edits, status",
  complete = function(lead, line)
    return require("heron.command").complete(lead, line)
  end,
})
