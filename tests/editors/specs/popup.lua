-- Neovim's own completion (vim.lsp.completion), without the plugin: nothing is shown inline.
local function start(t)
  vim.fn.writefile({ "total = 1", "" }, "a.py")
  vim.cmd.edit("a.py")
  local client = vim.lsp.start({
    name = "heron",
    cmd = t.options.cmd,
    root_dir = vim.fn.getcwd(),
    init_options = t.options.settings,
    handlers = {
      ["heron/status"] = function(_, told)
        t.state = told.state
      end,
    },
  })
  t.wait("a model that is ready", function()
    return t.state == "ready"
  end)
  vim.lsp.completion.enable(true, client, 0)
end

return {
  no_setup = true,
  {
    "an item stands in the popup and is put in the place of the word",
    function(t)
      start(t)
      vim.o.completeopt = "menuone,noselect"
      t.press("GApri")
      vim.lsp.completion.get()
      t.wait("the popup", function()
        return vim.fn.pumvisible() == 1
      end)
      t.equal(vim.fn.complete_info({ "items" }).items[1].word, "print(total)")
      t.press("<C-n><C-y>")
      t.wait("the text", function()
        return vim.api.nvim_get_current_line() == "print(total)"
      end)
      t.press("<Esc>")
      t.equal(vim.fn.getline(1, "$"), { "total = 1", "print(total)" })
    end,
  },
}
